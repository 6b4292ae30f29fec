"""Every program of the README and the docs runs as it is written."""

from __future__ import annotations

import ast
import inspect
import logging
import re
import tomllib
import types
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

import lix_async
from lix_async.sandbox import Sandbox, base_url_of, running

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if BLOCK.search(path.read_text()) and "_build" not in path.parts
]
LINK = "https://www.linkedin.com/in/{}"
GIVEN = {"links": [LINK.format("person-1"), LINK.format("person-2")], "dsn": "postgresql://db/lix"}
SERVICES = ("Lix", "LookC", "ConnectSafely", "Letrics", "MeetAlfred")
CLIENTS = (*SERVICES, *(f"Async{name}" for name in SERVICES))
SERVERS = ("pgqueuer", "PostgresStore", "import dlt", "import marimo", "temporalio", "celery")
"""What the blocks use that run elsewhere: tests/integrations and tests/bulk run the same lines on a
server, and test_recipes.py runs what has to be a module."""


NOTEBOOK = "docs/howto/notebooks.md"
"""Its blocks are the cells of one program."""


def blocks() -> list[tuple[str, str]]:
    found = {page: BLOCK.findall((ROOT / page).read_text()) for page in PAGES}
    found[NOTEBOOK] = ["".join(found[NOTEBOOK])]
    return [
        (f"{page}:{number}", block)
        for page, parts in found.items()
        for number, block in enumerate(parts, 1)
        if "def test_" not in block  # tests/test_kit.py runs these with pytest
    ]


def test_the_pages_with_programs_are_found() -> None:
    assert {"README.md", "docs/quickstart.md", "docs/tutorials/bulk-lookups.md"} <= set(PAGES)


def test_the_quick_start_lists_all_extras() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    page = (ROOT / "docs" / "quickstart.md").read_text()
    rows = re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
    assert sorted(name for row in rows for name in re.findall(r"`(\w+)`", row)) == sorted(extras)


def compiled(name: str, block: str) -> types.CodeType:
    return compile(block, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sandbox]:
    """All clients of the blocks talk to it, and none waits for permits."""
    # Equally good matches of a search are ordered by the listing's sequence id.
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=4))
    package = logging.getLogger("lix_async")
    level = package.level
    monkeypatch.setattr(package, "handlers", [*package.handlers])
    sandbox = Sandbox(people=40, rate=None)
    with running(sandbox) as url:
        for name in CLIENTS:
            address = base_url_of(url, name.removeprefix("Async").lower())
            client: Callable[..., object] = getattr(lix_async, name)

            def made(
                client: Callable[..., object] = client, address: str = address, **more: object
            ) -> object:
                settings = {**more, "base_url": address, "rate_limit": None}
                return client("sandbox-key", **settings)

            monkeypatch.setattr(lix_async, name, made)
        monkeypatch.chdir(tmp_path)
        yield sandbox
    package.setLevel(level)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(block, id=name)
        for name, block in blocks()
        if "asyncio.run" not in block and not any(word in block for word in SERVERS)
    ],
)
async def test_a_block_runs(
    block: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, object] = {
        **GIVEN,
        "links_and_addresses": [LINK.format("person-1"), "person-2@example.com"],
    }
    running_block = eval(compiled("block", block), names)  # our own documents
    if inspect.isawaitable(running_block):
        await running_block
        # One has a sandbox of its own, and what only asks a ledger sends nothing.
        elsewhere = "memory_client" in block or "AsyncLix" not in block
        assert sandbox.requests or elsewhere
    if "app" not in names:
        return
    app = names["app"]
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # FastAPI's, which is no name here
    async with (
        app.router.lifespan_context(app),  # type: ignore[attr-defined]
        httpx.AsyncClient(transport=transport, base_url="http://app") as http,
    ):
        if "person" not in names:  # the page about webhooks, which are tested elsewhere
            return
        found = await http.get("/person", params={"link": LINK.format("person-1")})
        assert (found.status_code, bool(found.json()["name"])) == (200, True)
        assert (await http.get("/person", params={"link": "garbage"})).status_code == 422


@pytest.mark.parametrize(
    "block", [pytest.param(block, id=name) for name, block in blocks() if "asyncio.run" in block]
)
def test_a_whole_program_runs(
    block: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(compiled("block", block), {"__name__": "__main__"})  # our own documents
    said = capsys.readouterr().out
    assert said
    assert "None" not in said


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(block, id=name)
        for name, block in blocks()
        if any(word in block for word in SERVERS)
    ],
)
def test_a_block_with_a_server_names_what_there_is(block: str) -> None:
    tree = ast.parse(block)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert imports
    exec(compile(ast.Module(imports, []), "block", "exec"), {})  # our own documents
    compiled("block", block)
