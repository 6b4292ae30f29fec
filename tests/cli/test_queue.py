"""`lix enrich --store postgresql://…`: the links go to a queue, and nothing is ignored in silence."""

from __future__ import annotations

import shlex
from pathlib import Path

import psycopg
import pytest
from servers import postgres_dsn  # noqa: F401  # a fixture

from lix_async.cli import main
from lix_async.cli.errors import CommandError
from lix_async.cli.ledger.address import address_of, checked_address, shell_argument

from .conftest import Lix
from .ledgers import L
from .sandbox_helpers import Watched

NOWHERE = "postgresql://me:hunter2@127.0.0.1:1/none"


@pytest.fixture
def links(lix: Lix) -> str:
    assert lix  # in its folder
    Path("in.txt").write_text("".join(f"{L}/person-{n}\n" for n in range(120)))
    return "in.txt"


def test_links_are_queued_and_what_is_printed_works_when_it_is_pasted(
    lix: Lix, links: str, request: pytest.FixtureRequest
) -> None:
    dsn: str = request.getfixturevalue("postgres_dsn")
    with psycopg.connect(dsn, autocommit=True) as line:
        line.execute("DROP SCHEMA IF EXISTS lix_async CASCADE")
    for queue in ("pgqueuer", "procrastinate"):
        found = lix("enrich", links, "--store", dsn, "--queue", queue, rate="")
        assert found.code == 0, found.err
        assert "120 links submitted in 3 chunks" in found.err
        assert f"lix worker --store {shlex.quote(dsn)}" in found.err
        status, export = (
            shlex.split(line)[1:] for line in found.err.splitlines() if "lix run" in line
        )
        (row,) = lix(*status, rate="").rows
        assert row["done"] == 0
        assert lix(*export, "--overwrite", rate="").code == 0
    silent = lix("enrich", links, "--store", dsn, "--quiet", rate="")
    assert (silent.code, silent.out, silent.err) == (0, "", "")


def test_the_password_is_shown_to_nobody(
    lix: Lix, links: str, request: pytest.FixtureRequest
) -> None:
    dsn: str = request.getfixturevalue("postgres_dsn")
    with_one = f"{dsn}&password=hunter2"
    found = lix("enrich", links, "--store", with_one, rate="")
    assert (found.code, "LIX_STORE" in found.err) == (0, True)
    assert "  lix worker\n" in found.err
    assert "  lix run status\n" in found.err
    wrong = lix("enrich", links, "--store", NOWHERE, rate="")
    assert wrong.code == 1
    assert "hunter2" not in found.err + wrong.err


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--out", "o.csv"), "`lix run export` takes --out"),
        (("-o", "o.csv"), "`lix run export` takes --out"),
        (("--format", "csv"), "`lix run export` takes --format"),
        (("--columns", "name"), "`lix run export` takes --columns"),
        (("--max-credits", "5"), "`lix worker` takes --max-credits"),
        (("--rate", "1/3s"), "`lix worker` takes --rate"),
        (("--rate=2/s",), "`lix worker` takes --rate"),
        (("--doubts", "hold"), "`lix worker` takes --doubts"),
        (("--concurrency", "3"), "`lix worker` takes --concurrency"),
        (("--recheck", "2"), "--recheck is only for a ledger in a file"),
        (("--on-daily-limit", "stop"), "--on-daily-limit is only for a ledger in a file"),
        (("--viewer", "7"), "`lix worker` takes --viewer"),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    lix: Lix, links: str, sandbox: Watched, more: tuple[str, ...], told: str
) -> None:
    found = lix("enrich", links, "--store", NOWHERE, *more, rate="")
    assert (found.code, told in found.err) == (2, True), found.err
    assert "does nothing here" in found.err
    assert "hunter2" not in found.err
    assert not sandbox.requests


def test_all_of_them_are_named_at_once(lix: Lix, links: str) -> None:
    more = ("--out", "o", "--rate", "2/s", "--recheck=1")
    found = lix("enrich", links, "--store", NOWHERE, *more, rate="")
    said = " ".join(found.err.split())
    assert "--rate, --out and --recheck do nothing here" in said
    assert "`lix worker` takes --rate; `lix run export` takes --out; --recheck is only" in said


def test_a_queue_needs_a_server(lix: Lix, links: str) -> None:
    for store in ((), ("--store", "x.db")):
        found = lix("enrich", links, *store, "--queue", "pgqueuer")
        assert (found.code, "needs a PostgreSQL" in found.err) == (2, True)
    assert sorted(path.name for path in Path().iterdir()) == ["in.txt"]


OTHERS = [
    "postgresql+asyncpg://u:sesame@h/db",
    "mysql://u:sesame@h/db",
    "POSTGRESQL://u:sesame@h/db",
    "postgresql:/u:sesame@h/db",
    "host=h user=u password=sesame",
    "password = sesame host=h",
    "dbname=x\npassword=sesame",
]


@pytest.mark.parametrize("address", OTHERS)
def test_an_address_of_another_kind_is_no_files_name(
    links: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    address: str,
) -> None:
    with pytest.raises(CommandError, match="is neither"):
        checked_address(address)
    assert main(["enrich", links, "--store", address]) == 2
    assert main(["worker", "--store", address]) == 2
    assert main(["run", "status", address]) == 2
    monkeypatch.setenv("LIX_STORE", address)
    assert main(["run", "export"]) == 2
    said = "".join(capsys.readouterr())
    assert ("sesame" in said, said.count("is neither")) == (False, 4)
    assert sorted(path.name for path in Path().iterdir()) == ["in.txt"]


@pytest.mark.parametrize(
    "name", ["l.db", "C:/x.db", "C:\\x.db", "../a b/x=1.db", "a:b.db", "localhost=x"]
)
def test_files_keep_their_names(name: str) -> None:
    assert address_of(name) == name


def test_what_may_be_pasted() -> None:
    assert shell_argument("postgresql://me@db/x") == "postgresql://me@db/x"
    assert (
        shell_argument("postgresql://me:@/x?host=/tmp&a=b") == "'postgresql://me:@/x?host=/tmp&a=b'"
    )
    for secret in ("me:pw@db/x", "db/x?password=pw", "db/x?sslpassword=pw", "[bad/x"):
        assert shell_argument(f"postgresql://{secret}") is None
