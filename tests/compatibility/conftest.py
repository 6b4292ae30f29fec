"""Fixtures: the sandbox of the stored files, `lix` in this process, PostgreSQL and Redis.

The tests here read what an earlier version wrote. They use the public API and the command only,
so that they need no change when internal names change.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
import pytest
from servers import postgres_dsn, redis_url  # noqa: F401  # fixtures

from lix_async.cli import main
from lix_async.sandbox import Sandbox, running
from lix_async.sandbox.answers import connectsafely
from lix_async.sandbox.answers import lix as lix_answers
from lix_async.sandbox.answers.context import AnswerContext, AnswerFunction
from lix_async.sandbox.protocol.params import RequestParams
from lix_async.sandbox.world.world import World

from .written import EPOCH, WORLD

Lix = Callable[..., str]
SEARCHES: dict[str, object] = json.loads(
    Path(__file__).with_name("search_answers.json").read_bytes()
)
"""What the sandbox of that time answered to the searches of the tests, by endpoint and params: its
filters did not filter yet, so it found other records than today's."""


@pytest.fixture(scope="session")
def world() -> Sandbox:
    """One sandbox for all tests: making its data takes longer than most of them."""
    return Sandbox(**WORLD, wall=lambda: EPOCH, clock=lambda: 0.0)


def as_of_old(table: Mapping[str, AnswerFunction], patch: pytest.MonkeyPatch) -> None:
    """Let searches answer as they did when the files were written."""
    for name in {key.partition(" ")[0] for key in SEARCHES} & set(table):
        answer = table[name]

        def stored(
            world: World,
            params: RequestParams,
            context: AnswerContext,
            name: str = name,
            answer: AnswerFunction = answer,
        ) -> object:
            given = msgspec.json.encode(params.values, order="sorted").decode()
            found = SEARCHES.get(f"{name} {given}")
            return answer(world, params, context) if found is None else found

        patch.setitem(table, name, stored)


@pytest.fixture(scope="module", autouse=True)
def old_searches() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for table in (lix_answers.ANSWERS, connectsafely.ANSWERS):
            as_of_old(table, patch)
        yield


@pytest.fixture
def sandbox(world: Sandbox) -> Sandbox:
    world.reset()
    return world


@pytest.fixture(scope="session")
def address(world: Sandbox) -> Iterator[str]:
    """The same sandbox on a port."""
    with running(world) as url:
        yield url


@pytest.fixture
def lix(
    sandbox: Sandbox,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Lix:
    """Runs `lix` against the sandbox and gives its stdout; it must succeed."""
    for name in [name for name in os.environ if name.endswith("_API_KEY") or name[:4] == "LIX_"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LIX_BASE_URL", address)

    def run(*arguments: str) -> str:
        capsys.readouterr()
        code = main(list(arguments))
        said = capsys.readouterr()
        assert code == 0, said.err
        return said.out

    return run
