"""Tolerant decoding: which bodies are repaired, and which are schema mismatches."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import pytest

from lix_async.core.decoding import decoder_for, read_items
from lix_async.core.json_text import SchemaMismatch
from lix_async.core.models import Listing, Model, OpenObject


class Month(Model):
    year: int | None = None


class Job(Model):
    __aliases__ = {"job_title": "title", "headline": "title"}
    title: str | None = None
    started: Month | None = None


class Person(Model):
    __markers__ = {"fullName": "name"}
    name: str | None = None
    followers: int | None = None
    score: float | None = None
    premium: bool | None = None
    seen_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    place: str | int | None = None
    jobs: list[Job] = []
    related: list[Person] = []
    raw: OpenObject | None = None

    @classmethod
    def __repair__(cls, tree: dict[str, object]) -> dict[str, object]:
        return {**tree, "name": tree["fullName"]}


class People(Listing[Person]):
    __envelopes__ = ("searchResponse", "response")
    __aliases__ = {"persons": "people", "profiles": "people"}
    __root__ = "people"
    items: list[Person] = msgspec.field(name="people", default_factory=list)


class Strict(Model):
    id: int


def read(kind: type, body: object) -> Any:
    return decoder_for(kind).read(body if isinstance(body, bytes) else json.dumps(body).encode())


def both(name: str, value: object) -> object:
    """Decode a value on the fast path and on the slow path, with the same result."""
    slow = {name: value, "related": [{"followers": "none"}]}
    straight, repaired = read(Person, {name: value}), read(Person, slow)
    found = msgspec.structs.asdict(straight)
    assert found | {"related": repaired.related} == msgspec.structs.asdict(repaired)
    return found[dict(zip(Person.__struct_encode_fields__, found, strict=True))[name]]


def person(**fields: object) -> Person:
    return read(Person, fields)


def mismatch(kind: type, body: object) -> tuple[str, str]:
    with pytest.raises(SchemaMismatch) as caught:
        read(kind, body)
    assert caught.value.__context__ is None or isinstance(body, dict | list)
    return str(caught.value), caught.value.path


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (57, 57), ("57", 57), (" 57 ", 57), ("1,234,567", 1_234_567), ("+5", 5), ("-5", -5),
        (3.0, 3), ("3.9", 3), (2**60, 2**60), ("9" * 40, int("9" * 40)), (1e300, int(1e300)),
        (None, None), ("", None), ("many", None), ("1_000", None), ("٣", None), ("0x1F", None),
        ("nan", None), ("inf", None), ("9" * 5000, None), (True, None), ("1,23", None),
    ],
)  # fmt: skip
def test_whole_numbers_are_decoded_from_numbers_and_texts(value, number):
    assert both("followers", value) == number


@pytest.mark.parametrize(
    ("value", "number"), [(1.5, 1.5), ("1.5", 1.5), ("2", 2.0), (2, 2.0), ("much", None)]
)
def test_fractions_are_decoded_from_numbers_and_texts(value, number):
    assert both("score", value) == number


@pytest.mark.parametrize(
    ("value", "flag"),
    [(True, True), ("true", True), ("FALSE", False), (1, True), ("0", False), ("yes", True),
     (2, True), (1.0, True), (0.0, False), ("1.0", True), (" No ", False), ("many", None), ("", None),
     (None, None)],
)  # fmt: skip
def test_flags_are_decoded_from_booleans_numbers_and_texts(value, flag):
    assert both("premium", value) is flag


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2025-01-01T02:46:40Z", datetime(2025, 1, 1, 2, 46, 40, tzinfo=UTC)),
        ("2025-01-01 02:46:40", datetime(2025, 1, 1, 2, 46, 40, tzinfo=UTC)),
        ("1735699600", datetime(2025, 1, 1, 2, 46, 40, tzinfo=UTC)),
        (1735699600, datetime(2025, 1, 1, 2, 46, 40, tzinfo=UTC)),
        ("yesterday", None),
        (10**18, None),
        (None, None),
        (True, None),
    ],
)
def test_dates_are_decoded_from_numbers_and_texts(value, at):
    assert both("seenAt", value) == at


def test_a_number_or_flag_in_place_of_a_text_becomes_a_text():
    assert [both("name", value) for value in (7, 1.5, True)] == ["7", "1.5", "true"]


def test_a_value_of_a_union_is_not_changed():
    assert [both("place", value) for value in ("a", "7", 7, None)] == ["a", "7", 7, None]


@pytest.mark.parametrize("nothing", [None, "", {}])
def test_a_missing_list_is_empty_and_null_items_are_dropped(nothing):
    assert person(jobs=nothing).jobs == []
    assert person(jobs=[None, {"title": "a"}, None]).jobs == [Job(title="a")]


@pytest.mark.parametrize("nothing", ["", []])
def test_an_empty_text_or_list_in_place_of_an_object_becomes_an_empty_object(nothing):
    assert person(jobs=[{"started": nothing}]).jobs == [Job(started=Month())]
    assert person(jobs=[{"started": None}]).jobs == [Job()]


def test_unknown_keys_are_ignored():
    assert person(name="a", news={"deep": [1]}).name == "a"
    assert person(name=7, news={"deep": [1]}).name == "7"


def test_the_first_alias_that_is_not_null_is_taken():
    jobs = [
        {"job_title": "a"}, {"headline": "b"}, {"title": "c", "job_title": "a"},
        {"title": None, "headline": "d"}, {"job_title": None, "headline": "e"}, {"title": ""},
    ]  # fmt: skip
    assert [job.title for job in person(jobs=jobs).jobs] == ["a", "b", "c", "d", "e", ""]


def test_an_older_form_is_rearranged_at_any_depth():
    assert person(fullName="old").name == "old"
    assert person(related=[{"fullName": "older"}, {"name": "new"}]).related == [
        Person(name="older"), Person(name="new"),
    ]  # fmt: skip
    assert person(name="the word fullName in a text").name == "the word fullName in a text"


ROWS = [{"name": "a"}]
META = {"sequenceId": "s"}


@pytest.mark.parametrize(
    "body",
    [
        {"people": ROWS, "meta": META, "paging": {"total": 1}},
        {"searchResponse": {"people": ROWS, "paging": {"total": 1}}, "meta": META},
        {"response": {"people": ROWS, "paging": {"total": 1}}, "meta": META},
        {"searchResponse": {"people": ROWS, "paging": {"total": 1}, "meta": META}},
        {"searchResponse": {"people": ROWS, "paging": {"total": 1}, "meta": META}, "meta": None},
        {"response": {"people": ROWS, "meta": META}, "paging": {"total": 1}},
        {"response": None, "people": ROWS, "meta": META, "paging": {"total": 1}},
        {"response": {"persons": ROWS, "paging": {"total": 1}}, "meta": META},
        {"profiles": ROWS, "people": None, "meta": META, "paging": {"total": 1}},
    ],
)
@pytest.mark.parametrize("slow", [False, True])
def test_a_page_is_decoded_from_any_envelope(body, slow):
    body = json.loads(json.dumps(body))
    for rows in [body.get("people"), body.get("profiles"), *(
        part.get(name) for part in body.values() if isinstance(part, dict)
        for name in ("people", "persons")
    )]:  # fmt: skip
        if slow and rows:
            rows[0]["followers"] = "none"  # not a number: requires the slow path
    page = read(People, body)
    assert page.items == [Person(name="a")]
    assert (page.total, page.sequence_id) == (1, "s")


@pytest.mark.parametrize("inner", [b"{}", b" { } ", b'{"people": null}'])
def test_an_envelope_may_be_empty(inner):
    page = read(People, b'{"searchResponse": ' + inner + b', "meta": {"sequenceId": "s"}}')
    assert (page.items, page.sequence_id) == ([], "s")


def test_the_name_of_an_envelope_inside_a_text_is_ignored():
    assert read(People, {"people": [{"name": 'the "response" was'}]}).items[0].name
    assert read(People, {"people": [{"name": "response"}]}).items == [Person(name="response")]


def test_an_array_is_decoded_into_the_root_field():
    assert read(People, ROWS).items == [Person(name="a")]
    assert read(People, []).items == []


@pytest.mark.parametrize("name", ["followers", "score", "premium", "seenAt"])
@pytest.mark.parametrize("value", [{}, [], {"a": 1}, [1]])
def test_an_object_or_list_in_place_of_a_number_flag_or_date_becomes_none(name, value):
    assert both(name, value) is None


def test_a_schema_mismatch_has_the_path():
    assert mismatch(Person, {"jobs": [None, {"title": [1]}]}) == (
        "expected a text, got an array", "$.jobs[1].title",
    )  # fmt: skip
    assert mismatch(Person, {"jobs": {"a": 1}}) == ("expected an array, got an object", "$.jobs")
    assert mismatch(Person, {"jobs": [7]}) == ("expected an object, got a number", "$.jobs[0]")
    assert mismatch(Person, {"jobs": [True]}) == ("expected an object, got a flag", "$.jobs[0]")
    assert mismatch(Person, {"name": {}}) == ("expected a text, got an object", "$.name")
    assert mismatch(Person, {"raw": "x"}) == ("expected an object, got a text", "$.raw")
    assert mismatch(Person, {"place": 1.5})[1] == "$.place"
    assert mismatch(Strict, {}) == ("Object missing required field `id`", "$")
    assert mismatch(Strict, {"id": "many"}) == ("Object missing required field `id`", "$")


@pytest.mark.parametrize("body", [b"7", b"null", b'"x"', b"true", b"[1]"])
def test_a_body_that_is_not_an_object_is_a_schema_mismatch(body):
    assert mismatch(Person, body)[0].startswith("expected an object, got ")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Input data was truncated"),
        (b"{", "Input data was truncated"),
        (b"nope", "JSON is malformed: invalid character (byte 1)"),
        (b'{"name": "\xff', "Input data was truncated"),
        (b'{"related":[' * 5000, "the answer is nested too deeply"),
        (b"[" * 200_000, "the answer is nested too deeply"),
    ],
)
def test_a_body_that_is_not_json_is_a_schema_mismatch(body, message):
    assert mismatch(Person, body)[0].startswith(message.partition(":")[0])


class Job2(Model):
    posting: OpenObject | None = None
    anything: object = None
    size: int | None = None


@pytest.mark.parametrize("value", [7, "x", [1, {"a": None}], {"a": [1]}])
def test_a_field_of_an_undocumented_type_accepts_anything(value):
    assert read(Job2, {"anything": value}).anything == value
    assert read(Job2, {"anything": value, "size": "none"}).anything == value
    assert mismatch(Job2, {"posting": 7}) == ("expected an object, got a number", "$.posting")


def test_an_open_object_has_accessors():
    posting = read(Job2, {"posting": {"a": "", "b": "x", "n": "7", "deep": {"er": [1]}}}).posting
    assert isinstance(posting, OpenObject)
    assert posting.first_text("missing", "a", "n", "b") == "7"
    assert posting.first_text("a", "missing") is None
    assert posting.first_number("b", "n") == 7
    assert posting.first_number("b") is None
    assert posting.inside("deep", "er") == [1]
    assert [posting.inside("deep", "no", "more"), posting.inside("a", "b")] == [None, None]
    assert read(OpenObject, {"a": 1}) == {"a": 1}
    assert mismatch(OpenObject, [1]) == ("expected an object, got an array", "$")


def test_items_of_a_checkpoint_are_decoded():
    people = [Person(name="a", raw=OpenObject(x=1)), Person(jobs=[Job(title="t")])]
    assert read_items(Person, msgspec.json.encode(people)) == people
    assert decoder_for(Person) is decoder_for(Person)
