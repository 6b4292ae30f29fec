"""Tables of answers, as pandas, polars, DuckDB and pyarrow read them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from lix_async import ConfigurationError, NotFoundError, UnreadableItem, bulk
from lix_async.core.decoding import decoder_for
from lix_async.core.models import Model
from lix_async.frames import Frame, schema, to_frame
from lix_async.models import Email, JobPosting, Person, Post
from lix_async.providers.lix.models import Experience, PartialDate, PeoplePage, Skill
from lix_async.sandbox import Sandbox
from lix_async.testing import memory_client

URL = "https://www.linkedin.com/search/results/people/?keywords=chef"
PEOPLE = [
    Person(
        name="Ann <b>",
        first_name="Ann",
        link="https://www.linkedin.com/in/ann",
        num_of_connections=5,
        premium=True,
        birth_date=PartialDate(year=1980),
        skills=[Skill(name="Go", num_of_endorsement=2), Skill()],
        experience=[Experience(title="Chef"), Experience(is_current=False)],
        related_persons=[Person(name="Ben")],
    ),
    Person(name="Ben", last_name="Bo"),
    Person(),
]


class Mixed(Model):
    id: int | str | None = None
    score: float | None = None
    at: datetime | None = None
    whatever: object = None
    things: list[object] = []
    moments: list[datetime] = []


def test_values_keep_their_types() -> None:
    first, second, third = to_frame(PEOPLE).to_dicts()
    assert first["num_of_connections"] == 5
    assert first["premium"] is True
    assert first["birth_date"] == {"year": 1980, "month": None, "day": None}
    assert first["skills"] == [
        {"name": "Go", "num_of_endorsement": 2},
        {"name": None, "num_of_endorsement": None},
    ]
    assert json.loads(str(first["related_persons"])) == [{"name": "Ben"}]
    assert second["birth_date"] is third["birth_date"] is None
    assert third["name"] is None


def test_undocumented_values_are_json_and_times_are_utc() -> None:
    naive = datetime(2026, 1, 2, 3)
    rows = [
        Mixed(id=7, score=1, at=naive, whatever={"a": [1]}, things=[1, "x"], moments=[naive]),
        Mixed(id="x", at=naive.replace(tzinfo=UTC)),
    ]
    first, second = to_frame(rows).to_dicts()
    assert (first["id"], second["id"]) == ("7", "x")
    assert first["at"] == second["at"] == naive.replace(tzinfo=UTC)
    assert (first["whatever"], first["things"]) == ('{"a":[1]}', '[1,"x"]')
    assert first["moments"] == [naive.replace(tzinfo=UTC)]
    assert first["score"] == 1.0


def test_values_that_arrow_cannot_hold_do_not_lose_the_table() -> None:
    rows: list[Any] = [Person(name="a\ud800", num_of_connections=2**70), Person(name=3, premium=1)]  # type: ignore[arg-type]
    first, second = to_frame(rows).to_dicts()
    assert (first["name"], first["num_of_connections"]) == ("a?", None)
    assert (second["name"], second["premium"]) == ("3", True)


def test_flattened_structs_and_chosen_columns() -> None:
    flat = to_frame(PEOPLE, flatten=True)
    assert [row["birth_date_year"] for row in flat.to_dicts()] == [1980, None, None]
    assert len(schema(Person).names) == 45
    assert len(flat.column_names) == 50
    chosen = to_frame(PEOPLE, columns=["profile_url", "name", "full_name", "name"])
    assert chosen.column_names == ["profile_url", "name", "full_name"]
    assert [row["full_name"] for row in chosen.to_dicts()] == ["Ann <b>", "Ben", None]
    two = to_frame(PEOPLE, flatten=True, columns=["birth_date_year", "name"])
    assert two.column_names == ["birth_date_year", "name"]


def test_open_objects_have_their_properties_and_the_whole_as_json() -> None:
    job = JobPosting({"jobPostingId": 5, "title": "Chef", "company": {"name": "Inn"}, "new": [1]})
    (row,) = to_frame([job]).to_dicts()
    assert row["title"] == "Chef"
    assert json.loads(str(row["json"])) == job
    assert to_frame([], Post).column_names[0] == "json"


def test_outcomes_have_what_became_of_their_inputs() -> None:
    outcomes: list[bulk.Outcome[Any]] = [
        bulk.Outcome(input="a", state="done", value=PEOPLE[0], credits=1),
        bulk.Outcome(input={"link": "b", "n": 1}, state="refused", error=NotFoundError("none")),
    ]
    frame = to_frame(outcomes)
    assert frame.column_names[:5] == ["input", "status", "credits", "reason", "name"]
    first, second = frame.to_dicts()
    assert (first["input"], first["status"], first["credits"]) == ("a", "done", 1)
    assert first["name"] == "Ann <b>"
    assert (second["input"], second["reason"]) == ('{"link":"b","n":1}', "none")
    chosen = to_frame(outcomes, columns=["name", "status"]).to_dicts()
    assert chosen == [{"name": "Ann <b>", "status": "done"}, {"name": None, "status": "refused"}]


def test_the_answers_own_status_has_the_name_of_its_struct() -> None:
    outcome = bulk.Outcome(
        input="a", state="done", value=Email(email="a@b.example", status="VALID")
    )
    (row,) = to_frame([outcome]).to_dicts()
    assert (row["status"], row["email_status"], row["email"]) == ("done", "VALID", "a@b.example")


def test_lists_of_outcomes_become_rows() -> None:
    jobs = [Experience(title="Chef"), Experience(title="Cook")]
    outcomes: list[bulk.Outcome[Any]] = [
        bulk.Outcome(input="a", state="done", value=jobs),
        bulk.Outcome(input="b", state="done", value=[]),
    ]
    rows = to_frame(outcomes, columns=["input", "title"]).to_dicts()
    assert [(row["input"], row["title"]) for row in rows] == [
        *(("a", "Chef"), ("a", "Cook"), ("b", None))
    ]


def test_rows_that_could_not_be_read_are_rows_without_values() -> None:
    unreadable = decoder_for(PeoplePage).read(b'{"people":[[1]]}').items[0]
    assert isinstance(unreadable, UnreadableItem)
    assert isinstance(unreadable, Person)
    frame = to_frame([unreadable, *PEOPLE[:1]])
    assert [row["name"] for row in frame.to_dicts()] == [None, "Ann <b>"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: to_frame([]), "without a struct: pass kind"),
        (lambda: to_frame([Person(), Email()]), "of several types: pass kind"),
        (lambda: to_frame([Email()], Person), "rows must be of Person, not Email"),
        (lambda: to_frame([{"name": "x"}]), "kind must be a struct such as Person"),  # type: ignore[list-item]
        (lambda: to_frame(3, Person), "rows must be a list, not int"),  # type: ignore[arg-type]
        (lambda: to_frame([], Person, columns="name"), "columns must be a list of names"),
        (lambda: to_frame([], Person, columns=["nam"]), "unknown column 'nam' in columns; avail"),
        (lambda: schema("Person"), "kind must be a struct"),  # type: ignore[arg-type]
    ],
)
def test_arguments_that_are_not_valid(call: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        call()


def test_libraries_read_the_frame_itself() -> None:
    frame = to_frame(PEOPLE, columns=["name", "num_of_connections", "birth_date", "skills"])
    assert pl.DataFrame(frame).equals(frame.to_polars())
    assert pa.table(frame).equals(frame.to_pyarrow())
    assert frame.to_polars()["birth_date"].to_list()[1] is None
    assert frame.to_pyarrow().column("birth_date").null_count == 2
    with duckdb.connect() as connection:
        connection.register("people", frame)
        found = connection.sql("SELECT birth_date.year, len(skills) FROM people").fetchall()
        assert found == [(1980, 2), (None, 0), (None, 0)]
        assert len(frame.to_duckdb(connection).fetchall()) == 3
    assert frame.to_duckdb().filter("name = 'Ben'").fetchall()[0][0] == "Ben"


def test_types_in_pandas() -> None:
    frame = to_frame(PEOPLE).to_pandas()
    assert frame["name"].dtype == pd.StringDtype("python")
    assert frame["num_of_connections"].dtype == pd.Int64Dtype()
    assert frame["premium"].dtype == pd.BooleanDtype()
    assert frame["skills"].dtype == object
    assert frame["name"].isna().tolist() == [False, False, True]
    assert frame["num_of_connections"].tolist() == [5, pd.NA, pd.NA]
    times = to_frame([Mixed(at=datetime(2026, 1, 1, tzinfo=UTC)), Mixed()]).to_pandas()
    assert str(times["at"].dtype) == "datetime64[us, UTC]"
    assert str(times["score"].dtype) == "float64"
    empty = to_frame([], Person).to_pandas()
    assert empty.dtypes.equals(frame.dtypes)


def test_without_pyarrow_all_but_pyarrow_work_the_same() -> None:
    """In a process that cannot import it: types of pandas, polars, DuckDB, and a run's input."""
    code = """
import sys, importlib.abc
class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] == "pyarrow":
            raise ModuleNotFoundError(name, name=name)
if len(sys.argv) > 1:
    sys.meta_path.insert(0, Refuse())
import anyio, duckdb, tempfile
from lix_async.frames import to_frame, enrich_frame
from lix_async.models import Person
from lix_async.sandbox import Sandbox
from lix_async.testing import memory_client
import pandas as pd
frame = to_frame([Person(name="a", num_of_connections=1, premium=True), Person()])
print(frame.to_pandas().dtypes.astype(str).to_list(), frame.to_polars().shape)
print(duckdb.sql("SELECT name FROM frame").fetchall())
async def main():
    async with memory_client(Sandbox(rate=None), rate_limit=None) as lix:
        table = pd.DataFrame({"li": ["https://www.linkedin.com/in/example-person-1", None], "n": [1, 2]})
        with tempfile.TemporaryDirectory() as folder:
            found = await enrich_frame(
                table, lix.people.get, on="li", store=f"{folder}/x.db", columns=["name"]
            )
        print(found.to_pandas().dtypes.astype(str).to_dict(), found.to_dicts())
anyio.run(main)
"""
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
        ).stdout
        for arguments in ([], ["without"])
    ]
    assert outputs[0] == outputs[1]


def test_a_repr_has_no_values_and_the_html_is_escaped() -> None:
    frame = to_frame(PEOPLE)
    assert repr(frame) == "<Frame 3 rows, 45 columns>"
    html = frame._repr_html_()
    assert "Ann &lt;b&gt;" in html
    assert "<b>" not in html
    long = to_frame([Person(name=str(number)) for number in range(57)])
    assert "<p>37 more</p>" in long._repr_html_()
    assert "56" not in long._repr_html_().replace("57 rows", "")


def test_a_frame_without_columns_has_rows() -> None:
    frame = to_frame(PEOPLE, columns=[])
    assert frame.column_names == []


@pytest.mark.anyio
async def test_pages_become_a_frame() -> None:
    async with memory_client(Sandbox(rate=None), rate_limit=None) as lix:
        frame = await lix.search.people(URL, max_items=12).to_frame(columns=["name", "profile_url"])
        assert isinstance(frame, Frame)
        assert len(frame) == 12
        assert frame.column_names == ["name", "profile_url"]
        before = lix.credits.total
        with pytest.raises(ConfigurationError, match="unknown column"):
            await lix.search.people(URL).to_frame(columns=["nam"])
        assert lix.credits.total == before


def test_without_the_extra_the_message_says_what_to_install() -> None:
    code = "import sys; sys.modules['arro3'] = None\nimport lix_async.frames"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert "pip install 'lix_async[frames]'" in done.stderr
