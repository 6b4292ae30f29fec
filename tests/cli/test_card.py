"""One answer as a card, and what a table shows if no columns were chosen."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable

import msgspec
import pytest

from lix_async.cli.docstrings import argument_texts, prose
from lix_async.cli.endpoint_list import describe_endpoint, param_texts
from lix_async.cli.options import OutputOptions
from lix_async.cli.output.schema import RowSchema
from lix_async.cli.output.single import print_card, write_answer
from lix_async.cli.output.table import default_columns
from lix_async.cli.providers import all_endpoints
from lix_async.providers.lix.models import Person

from .conftest import Lix

ADA = "https://www.linkedin.com/in/ada-example"
STYLE = re.compile(r"\x1b\[[0-9;]*m")
COLOUR = re.compile(r"\x1b\[(?:[0-9]+;)*[349][0-9]")
Show = Callable[..., str]


class Terminal(io.StringIO):
    """A stdout that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    """What a terminal shows of an answer."""

    def run(answer: object, width: int = 80, **more: str) -> str:
        screen = Terminal()
        monkeypatch.setenv("COLUMNS", str(width))
        for name, value in more.items():
            monkeypatch.setenv(name, value)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", screen)
            write_answer(json.dumps(answer).encode(), dict, OutputOptions(format="table"))
        assert not (more and COLOUR.search(screen.getvalue()))
        return STYLE.sub("", screen.getvalue())

    return run


RECORD = {
    "name": "Ada Example",
    "link": ADA,
    "open": False,
    "skills": [{"name": "Statistics"}, {"name": "Compliance"}],
    "experience": [{"title": "Engineer", "organisation": {"name": "Example Corp"}}],
    "matches": [{"key": "k1", "size": 2}, {"key": "k2", "size": 3}],
    "company": {"name": "Example Corporation", "site": {"url": "https://example.com"}},
    "nothing": None,
    "empty": {},
}


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("settings", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_a_card_has_each_field_on_a_line(show: Show, width: int, settings: dict[str, str]) -> None:
    shown = show(RECORD, width, **settings)
    lines = [line.split(None, 1) for line in shown.splitlines() if line.strip()]
    assert ["name", "Ada Example"] in [[part.strip() for part in line] for line in lines]
    assert "Statistics, Compliance" in shown
    assert "Engineer, Example Corp" in shown
    assert all(word in shown for word in ("matches 1", "matches 2", "k2", "https://example.com"))
    assert "nothing" not in shown
    assert "empty" not in shown
    assert max(map(len, shown.splitlines())) <= width
    assert "{" not in shown


def test_a_value_that_two_parts_share_is_shown_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_card(
        {
            "a": {"name": "Example Corporation", "n": 5},
            "b": {"name": "Example Corporation", "n": 5},
        },
        (),
    )
    shown = capsys.readouterr().out
    assert shown.count("Example Corporation") == 1
    assert shown.count("5") == 2


@pytest.mark.parametrize(
    "answer",
    [
        {"campaigns": [{"id": 101, "label": "One"}, {"id": 102, "label": "Two"}]},
        {
            "campaigns": [{"id": 101, "label": "One"}, {"id": 102, "label": "Two"}],
            "paging": {"count": 2},
        },
        [{"id": 101, "label": "One"}, {"id": 102, "label": "Two"}],
    ],
)
def test_an_answer_of_several_objects_is_a_table_with_their_ids(show: Show, answer: object) -> None:
    lines = show(answer).splitlines()
    assert lines[1].split() == ["id", "label"]
    assert lines[3].split() == ["101", "One"]


def test_an_answer_without_objects_is_printed_as_received(show: Show) -> None:
    with pytest.raises(AttributeError):  # bytes, which the text of this test does not take
        show([1, 2])


@pytest.mark.parametrize(
    ("row", "narrow", "wide"),
    [
        ({"displayValue": "CTO", "id": "29"}, ["id", "displayValue"], ["id", "displayValue"]),
        (
            {"name": "A", "title": "T", "location": "L", "link": ADA},
            ["name", "title", "link"],
            ["name", "title", "location", "link"],
        ),
        ({"input": ADA, "status": "found", "id": "1"}, ["input", "status"], ["input", "status"]),
        (
            {"profileId": "p", "id": 7, "name": "A", "size": 3},
            ["id", "name", "size"],
            ["id", "name", "size"],
        ),
    ],
)
def test_tables_have_what_identifies_a_row(
    row: dict[str, object], narrow: list[str], wide: list[str]
) -> None:
    assert default_columns([row], RowSchema(None), 80) == narrow
    assert default_columns([row], RowSchema(None), 120) == wide


def test_a_pipe_gets_one_line(lix: Lix) -> None:
    found = lix("call", "person.get", "--profile-link", ADA)
    assert found.out.count("\n") == 1
    assert msgspec.json.decode(found.out, type=dict[str, object])["name"] == "Ada Example"


@pytest.mark.parametrize("name", all_endpoints())
def test_every_endpoint_and_every_parameter_has_a_description(name: str) -> None:
    endpoint = all_endpoints()[name]
    texts = param_texts(endpoint)
    assert texts.keys() == set(endpoint.params.__struct_fields__)
    assert all(len(text) > 5 and "As in" not in text for text in texts.values())
    shown = "\n".join(describe_endpoint(endpoint))
    for text in texts.values():
        assert " ".join(text.split())[:30] in " ".join(shown.split())
    assert all(len(line) <= 120 for line in shown.splitlines())


def test_arguments_that_are_those_of_another_method() -> None:
    class Calls:
        def first(self) -> None:
            """One.

            Args:
                page: The number of the first page,
                    from 0.
                size: Items.
            """

        def second(self) -> None:
            """Two, in
            two lines.

            `size` is as in `first`.

            Args:
                page: As in `first`.
                own: Its own.

            Contract:
                lix.md#errors
            """

    assert argument_texts(Calls, "second") == {
        "page": "The number of the first page, from 0.",
        "size": "Items.",
        "own": "Its own.",
    }
    assert argument_texts(Calls, "third") == {}
    assert prose(Calls.second) == ["Two, in two lines.", "`size` is as in `first`."]


def test_the_card_of_a_struct_keeps_its_order(capsys: pytest.CaptureFixture[str]) -> None:
    print_card({"location": "L", "name": "A"}, RowSchema(Person).columns)
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert names == ["name", "location"]


def test_a_school_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    school = {
        "institutionName": "Example University",
        "organisation": {"name": "Example University"},
    }
    print_card({"education": [school]}, ("education",))
    assert capsys.readouterr().out.count("Example University") == 1
