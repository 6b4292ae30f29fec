"""`lix enrich --store postgresql://…`: links are queued, and options without effect are rejected."""

from __future__ import annotations

import shlex
from pathlib import Path

import psycopg
import pytest
from servers import postgres_dsn  # noqa: F401  # a fixture

from lix_async.cli import main
from lix_async.cli.errors import CommandError
from lix_async.cli.ledger.address import check_address, ledger_address, shell_argument
from lix_async.ledger import postgres

from .conftest import Lix
from .ledgers import L
from .sandbox_helpers import ObservedSandbox

NOWHERE = "postgresql://me:hunter2@127.0.0.1:1/none"


@pytest.fixture
def links(lix: Lix) -> str:
    assert lix  # it sets the current folder
    Path("in.txt").write_text("".join(f"{L}/person-{n}\n" for n in range(120)))
    return "in.txt"


def test_links_are_queued_and_the_printed_commands_work(
    lix: Lix, links: str, request: pytest.FixtureRequest
) -> None:
    dsn: str = request.getfixturevalue("postgres_dsn")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS lix_async CASCADE")
    for queue in ("pgqueuer", "procrastinate"):
        found = lix("enrich", links, "--store", dsn, "--queue", queue, "--yes", rate="")
        assert found.code == 0, found.err
        assert "120 links queued in 3 chunks" in found.err
        assert f"lix worker --store {shlex.quote(dsn)}" in found.err
        status, export = (
            shlex.split(line)[1:] for line in found.err.splitlines() if "lix run" in line
        )
        (row,) = lix(*status, rate="").rows
        assert row["done"] == 0
        assert lix(*export, "--overwrite", rate="").code == 0
    silent = lix("enrich", links, "--store", dsn, "--quiet", "--yes", rate="")
    assert (silent.code, silent.out, silent.err) == (0, "", "")


def test_queueing_asks_like_every_command_that_spends(
    lix: Lix, links: str, sandbox: ObservedSandbox, request: pytest.FixtureRequest
) -> None:
    dsn: str = request.getfixturevalue("postgres_dsn")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS lix_async CASCADE")
    command = ("enrich", links, "--store", dsn)
    unconfirmed = lix(*command, rate="")
    assert (unconfirmed.code, unconfirmed.out) == (2, "")
    assert "this costs more than 100 credits" in unconfirmed.err
    assert "needs --yes or --max-credits" in unconfirmed.err
    expensive = lix(*command, "--max-credits", "119", rate="")
    assert expensive.code == 1
    assert "cost more than 119 credits, and nothing was queued" in expensive.err
    limited = lix(*command, "--max-credits", "5", "--limit", "5", rate="")
    assert (limited.code, "5 links queued" in limited.err) == (0, True), limited.err
    for more in (("--max-credits", "120"), ("--confirm-above", "120"), ("--yes",)):
        queued = lix(*command, *more, rate="")
        assert (queued.code, "120 links queued" in queued.err) == (0, True), queued.err
    assert not sandbox.requests


def test_the_password_is_never_printed(
    lix: Lix, links: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "OPENING_TIMEOUT", 0.0)
    dsn: str = request.getfixturevalue("postgres_dsn")
    with_one = f"{dsn}&password=hunter2"
    found = lix("enrich", links, "--store", with_one, "--yes", rate="")
    assert (found.code, "LIX_STORE" in found.err) == (0, True)
    assert "  lix worker\n" in found.err
    assert "  lix run status\n" in found.err
    wrong = lix("enrich", links, "--store", NOWHERE, "--yes", rate="")
    assert wrong.code == 1
    assert "hunter2" not in found.err + wrong.err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--out", "o.csv"), "pass --out to `lix run export`"),
        (("-o", "o.csv"), "pass -o to `lix run export`"),
        (("--format", "csv"), "pass --format to `lix run export`"),
        (("--columns", "name"), "pass --columns to `lix run export`"),
        (("--rate", "1/3s"), "pass --rate to `lix worker`"),
        (("--rate=2/s",), "pass --rate to `lix worker`"),
        (("--doubts", "hold"), "pass --doubts to `lix worker`"),
        (("--concurrency", "3"), "pass --concurrency to `lix worker`"),
        (("--recheck", "2"), "--recheck can be used with a ledger in a file"),
        (("--on-daily-limit", "stop"), "--on-daily-limit can be used with a ledger in a file"),
        (("--viewer", "7"), "pass --viewer to `lix worker`"),
    ],
)
def test_options_without_effect_are_rejected(
    lix: Lix, links: str, sandbox: ObservedSandbox, more: tuple[str, ...], message: str
) -> None:
    found = lix("enrich", links, "--store", NOWHERE, *more, rate="")
    assert (found.code, message in found.err) == (2, True), found.err
    assert "has no effect" in found.err
    assert "hunter2" not in found.err
    assert not sandbox.requests


def test_all_options_without_effect_are_listed(lix: Lix, links: str) -> None:
    more = ("--out", "o", "--rate", "2/s", "--recheck=1")
    found = lix("enrich", links, "--store", NOWHERE, *more, rate="")
    output = " ".join(found.err.split())
    assert "--rate, --out and --recheck have no effect" in output
    assert (
        "pass --rate to `lix worker`; pass --out to `lix run export`; --recheck can be used"
        in output
    )


def test_a_queue_needs_a_server(lix: Lix, links: str) -> None:
    for store in ((), ("--store", "x.db")):
        found = lix("enrich", links, *store, "--queue", "pgqueuer")
        assert (found.code, "needs PostgreSQL" in found.err) == (2, True)
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
def test_an_unsupported_address_is_not_taken_as_a_file(
    links: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    address: str,
) -> None:
    with pytest.raises(CommandError, match="invalid ledger"):
        check_address(address)
    assert main(["enrich", links, "--store", address]) == 2
    assert main(["worker", "--store", address]) == 2
    assert main(["run", "status", address]) == 2
    monkeypatch.setenv("LIX_STORE", address)
    assert main(["run", "export"]) == 2
    output = "".join(capsys.readouterr())
    assert ("sesame" in output, output.count("invalid ledger")) == (False, 4)
    assert sorted(path.name for path in Path().iterdir()) == ["in.txt"]


@pytest.mark.parametrize(
    "name", ["l.db", "C:/x.db", "C:\\x.db", "../a b/x=1.db", "a:b.db", "localhost=x"]
)
def test_file_names_are_accepted(name: str) -> None:
    assert ledger_address(name) == name


def test_addresses_as_shell_arguments() -> None:
    assert shell_argument("postgresql://me@db/x") == "postgresql://me@db/x"
    assert (
        shell_argument("postgresql://me:@/x?host=/tmp&a=b") == "'postgresql://me:@/x?host=/tmp&a=b'"
    )
    for secret in ("me:pw@db/x", "db/x?password=pw", "db/x?sslpassword=pw", "[bad/x"):
        assert shell_argument(f"postgresql://{secret}") is None
