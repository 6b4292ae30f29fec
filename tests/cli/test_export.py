"""`lix run export`: every row and every field of a ledger as JSONL, CSV and Parquet."""

from __future__ import annotations

import csv
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import preloaded
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async.cli.errors import CommandError
from lix_async.cli.input.targets import LOOKUPS
from lix_async.cli.ledger.export import fast_get_path
from lix_async.cli.output.files import StagedOutput
from lix_async.cli.output.lookup_rows import row_of_entry
from lix_async.cli.output.parquet import ParquetFile
from lix_async.cli.values import get_path
from lix_async.core.values import JsonObject
from lix_async.ledger.records import AnswerRow
from lix_async.ledger.store import Entry, Store
from lix_async.providers.lix.endpoints import BY_ID

from .conftest import Lix
from .ledgers import ADA, L, LookupMaker, error_body, every_status, filled, many
from .sandbox_helpers import environment, rows_of

duckdb = pytest.importorskip("duckdb")

STATUSES = {
    f"{L}/ada": "found",
    "bob@example.com": "not_found",
    "https://www.linkedin.com/company/acme": "refused",
    f"{L}/carl": "unreadable",
    f"{L}/dora": "queued",
    f"{L}/emil": "in_doubt",
    f"{L}/fay": "pending",
    f"{L}/gus": "in_doubt",
    f"{L}/hal": "found",
}
LATE = 21_000
"""More rows than duckdb looks at by itself to find the columns, 20,480."""


def table(path: Path) -> list[dict[str, object]]:
    """The rows of a Parquet."""
    with duckdb.connect() as connection:
        found = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def write_parquet(rows: Iterable[bytes], path: Path) -> None:
    """Write rows to a Parquet file as the export does."""
    with StagedOutput(path) as staged:
        parquet = ParquetFile(staged.folder)
        try:
            for row in rows:
                parquet.add(row)
            staged.place(parquet.finish())
        finally:
            parquet.close()


def entry(status: str, body: bytes | None = None, **more: object) -> Entry:
    given: dict[str, object] = {"key": b"k", "endpoint": "person.get", "given": b'"x"', **more}
    return Entry(status=status, body=body, **given)  # type: ignore[arg-type]  # the tests pass valid names


def row(one: Entry) -> dict[str, object]:
    found: dict[str, object] = json.loads(row_of_entry(one).encode())
    return found


def test_a_row_has_the_fields_of_enrich() -> None:
    assert list(row(entry("done", b'{"name": "A", "new": [1.50]}'))) == [
        "input",
        "kind",
        "status",
        "error",
        "bought_at",
        "result",
    ]
    assert (
        row_of_entry(entry("done", b'{"name": "A",\n "new": [1.50]}'))
        .encode()
        .endswith(b'"result":{"name":"A","new":[1.50]}}')
    ), "numbers stay as received"
    kinds = {one.endpoint.id: kind for kind, one in LOOKUPS.items()}
    assert {name: row(entry("pending", endpoint=name))["kind"] for name in kinds} == kinds
    other = next(name for name in BY_ID if name not in kinds)
    assert row(entry("pending", endpoint=other))["kind"] == other
    assert row(entry("pending", endpoint="unknown.endpoint"))["kind"] == "unknown.endpoint"


def test_inputs_are_kept_as_given() -> None:
    assert row(entry("pending", given=b'{"email":"a@b.c"}'))["input"] == "a@b.c"
    both = {"email": "a@b.c", "viewer_id": "1"}
    assert row(entry("pending", given=json.dumps(both).encode()))["input"] == both
    assert row(entry("pending", given=b"17"))["input"] == 17


def test_answers_of_unknown_endpoints_listings_and_schema_mismatches() -> None:
    unknown = row(entry("done", b'{"a":1}', endpoint="unknown.endpoint"))
    assert (unknown["status"], unknown["result"]) == ("found", {"a": 1})
    partial = row(entry("done", b'{"a":', endpoint="unknown.endpoint"))
    assert (partial["status"], partial["result"]) == ("unreadable", None)
    listing_id = next(n for n, one in BY_ID.items() if one.paging is not None and "people" in n)

    def listing(*pages: bytes, status: str = "done") -> dict[str, object]:
        answers = [
            AnswerRow(1, n, n, 0, 200, body, "usable", codec=2) for n, body in enumerate(pages, 1)
        ]
        return row(entry(status, endpoint=listing_id, pages=answers))

    whole = listing(b'[{"name":"A"}]', b"[ ]", b'[{"name":"B"},{"name":"C"}]')
    assert (whole["status"], len(whole["result"])) == ("found", 3)  # type: ignore[arg-type]
    assert listing(b'[{"name":[1]}]')["status"] == "found"
    assert listing(b'[{"name":"A"}]', status="kept")["status"] == "unreadable"
    assert listing(b'[{"name":"A"}]', status="pending")["status"] == "pending"
    mismatch = row(entry("done", b'{"name":{"not":"a text"},"experience":7}'))
    assert mismatch["result"] == {"name": {"not": "a text"}, "experience": 7}


def test_an_answer_is_exported_while_a_better_one_is_awaited() -> None:
    for status in ("queued", "sent", "in_doubt", "pending"):
        waiting = row(entry(status, b'{"name":"A"}'))
        assert (waiting["status"], waiting["result"]) == ("found", {"name": "A"})


def test_a_refreshed_answer_is_exported_until_the_newer_one_is_there(lix: Lix) -> None:
    async def refreshed(store: Store) -> None:
        lookup = LookupMaker(store, 1, "person.get", f"{L}/ada")
        await lookup.judge("answer", 200, b'{"name":"A"}')
        await lookup.send(expired=True)

    filled(Path("l.db"), refreshed)  # the second request is in doubt now
    for status in ("found", "found,in_doubt"):
        (found,) = lix("run", "export", "l.db", "--status", status, rate="").rows
        assert (found["status"], found["result"]) == ("found", {"name": "A"})


def test_an_answer_that_is_not_judged_is_a_row_where_it_can_be_read(lix: Lix) -> None:
    async def received(store: Store) -> None:
        await LookupMaker(store, 1, "person.get", f"{L}/ada").receive(200, b'{"name":"A"}')
        refusal = error_body("not_found", "no such person")
        await LookupMaker(store, 2, "person.get", f"{L}/bob").receive(404, refusal)

    filled(Path("l.db"), received)
    ada, bob = lix("run", "export", "l.db", rate="").rows
    assert (ada["status"], ada["result"]) == ("found", {"name": "A"})
    assert (bob["status"], bob["result"]) == ("in_doubt", None)
    assert "the next run reads it" in str(bob["error"])


def test_refused_and_pending_rows_have_their_error() -> None:
    for status in ("refused", "pending", "queued", "in_doubt"):
        found = row(entry(status, note="connection lost"))
        assert (found["status"], found["error"]) == (status, "person.get: connection lost")
    refused = error_body("params_invalid", "bad link")
    found = row(entry("refused", refused, http=400, note="bad link"))
    assert (found["status"], found["result"]) == ("refused", None)
    assert found["error"] == "person.get: bad link (400 params_invalid)"
    assert row(entry("refused", error_body("not_found", "no one"), http=404))["error"] == "no one"
    assert "as decided" in str(row(entry("refused"))["error"])
    assert row(entry("pending"))["error"] is None
    assert "lix run doubts" in str(row(entry("in_doubt"))["error"])


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_every_entry_is_a_row(lix: Lix, form: str) -> None:
    filled(Path("l.db"))
    found = lix("run", "export", "l.db", "--out", f"out.{form}", rate="")
    assert found.code == 0, found.err
    assert "9 rows in out" in found.err
    assert "2 in doubt" in found.err
    path = Path(f"out.{form}")
    assert path.stat().st_mode & 0o777 == 0o600
    if form == "jsonl":
        rows = rows_of(path)
        assert rows[0]["result"] == ADA
    elif form == "csv":
        rows = list(csv.DictReader(path.read_text().splitlines()))  # type: ignore[arg-type]
        assert json.loads(str(rows[0]["other"])) == {"result.profileLanguage": "fr"}
    else:
        rows = table(path)
        assert rows[0]["result"] == ADA
    assert {one["input"]: one["status"] for one in rows} == STATUSES
    assert sorted(os.listdir()) == ["l.db", "l.db.lock", path.name]


def test_export_during_a_run_and_to_stdout(lix: Lix) -> None:
    async def during(store: Store) -> None:
        await every_status(store)
        run = preloaded.run(["-m", "lix_async", "run", "export", "l.db"], env=environment())
        assert (run.returncode, len(run.stdout.splitlines())) == (0, 9), run.stderr

    filled(Path("l.db"), during)
    assert len(lix("run", "export", "l.db", "-q", rate="").rows) == 9
    shown = lix("run", "export", "l.db", "--format", "csv", rate="").out.splitlines()
    assert (len(shown), shown[0][:25]) == (10, "input,kind,status,error,b")
    assert lix("run", "export", "l.db", "--format", "parquet", rate="").code == 2


def test_columns_and_statuses(lix: Lix) -> None:
    filled(Path("l.db"))
    wanted = (
        "run",
        "export",
        "l.db",
        "--columns",
        "input,result.name",
        "--status",
        "found,pending",
    )
    assert lix(*wanted, rate="").rows == [
        {"input": f"{L}/ada", "result.name": "Ada"},
        {"input": f"{L}/fay", "result.name": None},
        {"input": f"{L}/hal", "result.name": "Hal"},
    ]
    assert lix(*wanted, "--format", "csv", rate="").out.splitlines() == [
        "input,result.name",
        f"{L}/ada,Ada",
        f"{L}/fay,",
        f"{L}/hal,Hal",
    ]
    assert lix(*wanted, "--out", "o.parquet", rate="").code == 0
    assert table(Path("o.parquet"))[0] == {"input": f"{L}/ada", "result.name": "Ada"}
    for status in ("unreadable", "in_doubt", "not_found"):
        rows = lix("run", "export", "l.db", "--status", status, rate="").rows
        assert {one["status"] for one in rows} == {status}
    assert lix("run", "export", "l.db", "--status", "nonsense", rate="").code == 2


NAMES = st.sampled_from(["a", "b", "a.b", "0", "1", "b.a.0", ""])
TREES = st.recursive(
    st.none() | st.integers() | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(NAMES, TREES, max_size=4), st.lists(NAMES, min_size=1, max_size=4))
def test_the_fast_lookup_of_paths_finds_the_same(tree: JsonObject, names: list[str]) -> None:
    path = ".".join(names)
    assert fast_get_path(tree, path, {}) == get_path(tree, path)


def test_formulas_are_escaped_in_a_csv(lix: Lix) -> None:
    many(Path("l.db"), [b'{"name":"=1+1","headline":"@x"}'])
    (found,) = csv.DictReader(
        lix("run", "export", "l.db", "--format", "csv", rate="").out.splitlines()
    )
    assert (found["result.name"], found["result.headline"]) == ("'=1+1", "'@x")


def test_a_field_of_the_last_row_is_in_every_format(lix: Lix) -> None:
    body = b'{"name":"A"}'
    late = b'{"name":"Z","brandNew":{"deep":[{"x":1}]}}'
    many(Path("l.db"), [*[body] * LATE, late])
    assert lix("run", "export", "l.db", "--out", "o.jsonl", rate="").code == 0
    assert lix("run", "export", "l.db", "--out", "o.parquet", rate="").code == 0
    assert lix("run", "export", "l.db", "--out", "o.csv", rate="").code == 0
    lines = Path("o.jsonl").read_bytes().splitlines()
    assert (len(lines), json.loads(lines[-1])["result"]) == (LATE + 1, json.loads(late))
    with Path("o.csv").open(newline="") as file:
        last = list(csv.DictReader(file))[-1]
    assert json.loads(last["other"]) == {"result.brandNew.deep": [{"x": 1}]}
    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT count(*), max(result.brandNew.deep[1].x), count(result.brandNew) "
            "FROM read_parquet('o.parquet')"
        ).fetchone()
    assert found == (LATE + 1, 1, 1)


def test_existing_files_are_kept_without_overwrite(lix: Lix) -> None:
    filled(Path("l.db"))
    Path("precious.csv").write_text("mine")
    found = lix("run", "export", "l.db", "--out", "precious.csv", rate="")
    assert (found.code, "--overwrite" in found.err) == (2, True)
    Path("link.csv").symlink_to("precious.csv")
    assert lix("run", "export", "l.db", "--out", "link.csv", "--overwrite", rate="").code == 2
    assert Path("precious.csv").read_text() == "mine"
    assert lix("run", "export", "l.db", "--out", ".", rate="").code == 2
    assert lix("run", "export", "l.db", "--out", "none/x.csv", rate="").code == 2
    assert lix("run", "export", "l.db", "--out", "precious.csv", "--overwrite", rate="").code == 0
    assert Path("precious.csv").read_text().startswith("input,")


def test_a_failure_leaves_no_files(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(Path("l.db"))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    many(Path("big.db"), [b'{"name":"%s"}' % (b"x" * 4000)] * 100)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit[1]))
    try:
        found = [
            lix("run", "export", "big.db", "--out", f"o.{x}", rate="") for x in ("csv", "jsonl")
        ]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert [one.code for one in found] == [1, 1]
    assert all("cannot write o." in one.err for one in found)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    missing = lix("run", "export", "l.db", "--out", "o.parquet", rate="")
    assert (missing.code, "pip install 'lix_async[parquet]'" in missing.err) == (2, True)
    assert {name.partition(".")[0] for name in os.listdir()} == {"l", "big"}


def test_a_signal_ends_the_export_and_removes_its_files(lix: Lix, tmp_path: Path) -> None:
    many(Path("l.db"), [b'{"name":"A","experience":[{"title":"x"}]}'] * 20_000)
    process = preloaded.start(
        ["-m", "lix_async", "run", "export", "l.db", "-o", "o.parquet"],
        env=environment(),
        stderr=subprocess.PIPE,
    )
    while process.poll() is None and not list(tmp_path.glob(".o.parquet.*/rows.jsonl")):
        pass
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (143, b"")
    assert not [name for name in os.listdir() if "o.parquet" in name]


VALUES = [
    {"uuid": "550E8400-E29B-41D4-A716-446655440000", "date": "2020-01-01", "time": "12:00:00"},
    {"long": 2**53 + 1, "huge": 2**70, "mixed": 1, "number": 1, "near": 2**53 + 1},
    {"mixed": "x", "number": 1.5, "near": 0.5, "flag": True, "nothing": None, "empty": {}},
    {"object": {"Name": 1, "name": 2}, "list": [1, None], "lists": [[], [{"a": 1}]], "none": []},
    {"object": {"": 1}, "flags": [True, 0], "q\"u'o": {"te d": "\x00'"}},
    {"dictionary": {f"k{n}": n for n in range(2000)}},
]


def test_parquet_keeps_every_value(tmp_path: Path) -> None:
    path = tmp_path / "it's.parquet"
    write_parquet((json.dumps(one).encode() for one in VALUES), path)
    rows = table(path)
    assert len(rows) == len(VALUES)
    assert (rows[0]["uuid"], rows[0]["date"], rows[0]["time"]) == tuple(VALUES[0].values())
    assert (rows[1]["long"], rows[1]["huge"]) == (2**53 + 1, str(2**70))
    assert [one["mixed"] for one in rows[1:3]] == ["1", '"x"']
    assert [one["number"] for one in rows[1:3]] == [1.0, 1.5]
    assert [one["near"] for one in rows[1:3]] == [str(2**53 + 1), "0.5"]
    assert (rows[2]["flag"], rows[2]["nothing"], rows[2]["empty"]) == (True, None, "{}")
    assert json.loads(str(rows[3]["object"])) == {"Name": 1, "name": 2}
    assert (rows[3]["list"], rows[3]["lists"]) == ([1, None], [[], [{"a": 1}]])
    assert (rows[4]["flags"], rows[4]["q\"u'o"]) == (["true", "0"], {"te d": "\x00'"})
    assert json.loads(str(rows[5]["dictionary"])) == VALUES[5]["dictionary"]
    assert [one["input"] for one in rows] == [None] * len(VALUES), "the first columns always exist"
    assert list(tmp_path.iterdir()) == [path]


def test_parquet_of_no_rows_and_of_unusual_rows(tmp_path: Path) -> None:
    write_parquet([], tmp_path / "none.parquet")
    assert table(tmp_path / "none.parquet") == []
    odd = [b'{"a":1,"a":{"b":2,"b":3}}', b'{"far":1e400}', b'{"a":{"b":4}}']
    write_parquet(odd, tmp_path / "odd.parquet")
    first, second, third = table(tmp_path / "odd.parquet")
    assert (first["a"], third["a"]) == ({"b": 3}, {"b": 4}), "the last value of a repeated key"
    assert second["a"] is None
    with pytest.raises(CommandError, match="differ only in case"):
        write_parquet([b'{"A":1,"a":2}'], tmp_path / "case.parquet")
    with pytest.raises(CommandError, match="cannot write Parquet"):
        write_parquet([b'{"a":"\\ud800"}'], tmp_path / "half.parquet")
    with pytest.raises(CommandError, match="already exists"):
        write_parquet([], tmp_path / "odd.parquet")
    assert len(list(tmp_path.iterdir())) == 2
