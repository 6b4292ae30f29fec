"""Pages: a row that does not fit costs only itself, and rows that cannot be found are an error."""

from __future__ import annotations

import copy
import json
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.test_decoding import Job, People, Person
from lix_async import UnreadableItem
from lix_async.core.decoding import decoder_for, read_items, write_item
from lix_async.core.json_text import SchemaMismatch
from lix_async.core.models import ItemCounts, Listing, Model, OpenObject, known_id


class Posts(Listing[OpenObject]):
    items: list[OpenObject] = msgspec.field(name="posts", default=[])


class Group(Model):
    kind: str | None = None
    members: list[Person] = []


class Groups(Listing[Group]):
    __grouped__: ClassVar[str] = "members"
    items: list[Group] = msgspec.field(name="groups", default=[])

    def rows(self) -> list[Any]:
        return [one for group in self.items for one in group.members or [group]]


class Keyed(Model):
    id: int | str | None = None
    more: dict[str, object] = {}
    name: str | None = None


class KeyedPage(Listing[Keyed]):
    items: list[Keyed] = msgspec.field(name="things", default=[])


def read(kind: Any, body: object) -> Any:
    return decoder_for(kind).read(body if isinstance(body, bytes) else json.dumps(body).encode())


GOOD = [{"name": f"p{n}", "followers": n, "jobs": [{"title": "t"}]} for n in range(5)]


@pytest.mark.parametrize(
    ("field", "value", "left"),
    [
        ("name", {"text": "p"}, {"name": None}),
        ("name", ["p"], {"name": None}),
        ("jobs", "a job", {"jobs": []}),
        ("jobs", {"a": 1}, {"jobs": []}),
        ("jobs", ["x", {"title": "t"}, 7], {"jobs": [Job(title="t")]}),
        ("jobs", [{"title": {"x": 1}, "started": 5}], {"jobs": [Job()]}),
        ("raw", "x", {"raw": None}),
        ("place", {"city": "Berlin"}, {"place": None}),
        ("related", [{"name": ["x"], "followers": 3}], {"related": [Person(followers=3)]}),
    ],
)
def test_a_field_that_does_not_fit_is_none_and_the_others_stay(field, value, left):
    rows = copy.deepcopy(GOOD)
    rows[2][field] = value
    page = read(People, {"people": rows, "paging": {"total": 5}})
    whole = read(People, {"people": GOOD})
    expected = list(whole.items)
    expected[2] = msgspec.structs.replace(expected[2], **left)
    assert page.items == expected
    assert (page.total, page.received, page.counts) == (5, 5, ItemCounts(repaired=1))
    assert not any(isinstance(item, UnreadableItem) for item in page.items)
    assert whole.counts == ItemCounts()


@pytest.mark.parametrize("value", [7, "text", "", True, [], [1], {"name": {"x": 1}}])
def test_a_row_of_which_nothing_can_be_read_says_so(value):
    page = read(People, {"people": [GOOD[0], value, None, GOOD[1]]})
    item = page.items[1]
    assert isinstance(item, UnreadableItem)
    assert isinstance(item, Person)
    assert (item.name, item.jobs) == (None, [])
    assert json.loads(item.raw) == value
    assert item.reason.endswith(("at $", "at $.name"))
    assert (len(page.items), page.received) == (3, 4)
    assert page.counts == ItemCounts(nulls=1, unreadable=1)
    assert write_item(item) == item.raw
    assert read_items(Person, b"[%b]" % item.raw) == [item]


@pytest.mark.parametrize("row", [{"key": "x"}, {"Name": "p", "n": [1]}, {"a": {"b": 1}}])
def test_a_row_of_which_no_key_is_known_says_so(row):
    """It would be an item without anything, and pages of such items would look alike."""
    page = read(People, {"people": [GOOD[0], row, None, {}, {"name": None}]})
    assert page.counts == ItemCounts(nulls=1, unreadable=1)
    whole, lost, *empty = page.items
    assert whole.name == "p0"
    assert isinstance(lost, UnreadableItem)
    assert json.loads(lost.raw) == row
    assert lost.reason == "nothing of it could be read: none of its keys is known at $"
    assert empty == [Person(), Person()]
    assert read_items(Person, b"[%b]" % write_item(lost)) == [lost]


def test_a_row_is_found_inside_of_another_object():
    page = read(People, {"people": [{"person": row} for row in GOOD]})
    assert page.items == read(People, {"people": GOOD}).items
    assert page.counts == ItemCounts()


def test_a_row_that_is_nested_too_deeply_is_unreadable():
    deep: Any = {"name": "leaf"}
    for _ in range(300):
        deep = {"related": [deep]}
    page = read(People, {"people": [deep, 7, GOOD[0]]})
    assert page.items[2].name == "p0"
    assert page.counts.unreadable in (1, 2)


def test_rows_with_open_keys():
    page = read(Posts, {"posts": [{"id": 1}, "x", None, 7]})
    assert page.items[0] == {"id": 1}
    assert [isinstance(item, UnreadableItem) for item in page.items] == [False, True, True]
    assert [(item.raw, item.get("id")) for item in page.items[1:]] == [(b'"x"', None), (b"7", None)]
    assert (page.received, page.counts) == (4, ItemCounts(nulls=1, unreadable=2))


def test_a_union_and_a_mapping_that_do_not_fit_are_left_out():
    rows = [{"id": {}, "name": "a"}, {"more": [1], "name": "b"}, {"id": 1, "more": {"x": 1}}, None]
    page = read(KeyedPage, {"things": rows})
    assert page.items == [Keyed(name="a"), Keyed(name="b"), Keyed(id=1, more={"x": 1})]
    assert page.counts == ItemCounts(nulls=1, repaired=2)


def test_null_rows_inside_of_groups_are_counted():
    groups = [
        {"kind": "a", "members": [{"name": "x"}, None, 7, {"name": "y"}]},
        None,
        {"kind": "b", "members": "none"},
        "c",
    ]
    page = read(Groups, {"groups": groups})
    assert len(page.rows()) == 4
    assert page.received == 7
    assert page.counts == ItemCounts(nulls=3, repaired=2, unreadable=1)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"people": []},
        {"people": None},
        {"people": ""},
        {"people": {}},
        {"paging": {"total": 0}},
        {"paging": {"total": 9}},
        {"meta": None},
        {"searchResponse": {}},
        {"response": {"paging": None}},
        {"profiles": None},
        {"meta": {"sequenceId": "s"}, "notes": [], "words": ["a"]},
        [],
    ],
)
def test_an_empty_page_is_none_that_lacks_its_rows(body):
    page = read(People, body)
    assert (page.items, page.received) == ([], 0)


@pytest.mark.parametrize(
    "body",
    [
        {"people": "x"},
        {"people": 7},
        {"people": {"a": 1}},
        {"people": True},
        {"persons": "x"},
        {"status": "ok"},
        {"results": [{"name": "a"}]},
        {"results": [{"name": "a"}], "paging": {"total": 1}},
        {"searchResponse": {"results": [None, {"name": "a"}]}},
        {"searchResponse": "x"},
        {"people": [], "results": [{"name": "a"}]},
        {"people": None, "elements": [{"name": "a"}], "paging": {"total": 1}},
        {"people": [], "more": {"results": [{"name": "a"}]}},
        {"people": {}, "response": {"data": {"results": [{"name": "a"}]}}},
        {"a": {"people": [{"name": "a"}]}, "b": {"people": [{"name": "b"}]}},
    ],
)
def test_rows_that_cannot_be_found_are_an_error(body):
    with pytest.raises(SchemaMismatch) as caught:
        read(People, body)
    assert caught.value.path == "$.people"
    assert str(caught.value).startswith(("no rows were found", "expected an array"))


@given(st.lists(st.sampled_from(["searchResponse", "response", "data", "x"]), max_size=3))
def test_rows_are_found_inside_of_other_objects(names):
    body: dict[str, Any] = {"people": GOOD}
    for number, name in enumerate(names):
        body = {name: body, "n": number, "people": None, "paging": {"total": 9}}
    page = read(People, body)
    assert page.items == read(People, {"people": GOOD}).items
    assert page.total == (9 if names else None)


@given(st.lists(st.sampled_from(["data", "result", "person"]), max_size=3))
def test_a_result_is_found_inside_of_other_objects(names):
    body: dict[str, Any] = GOOD[1]
    for name in names:
        body = {name: body, "status": 200, "notes": {}}
    assert read(Person, body) == read(Person, GOOD[1])


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"x": 1}},
        {"a": {"name": "a"}, "b": {"name": "b"}},
        {"a": {"b": {"c": {"d": {"name": "a"}}}}},
    ],
)
def test_a_result_of_which_nothing_can_be_read_is_an_error(body):
    with pytest.raises(SchemaMismatch, match="none of its keys is known"):
        read(Person, body)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": "ok"},
        {"name": None},
        {"x": {}},
        {"name": None, "x": {"y": 1}},
    ],
)
def test_a_result_without_anything_in_it_is_empty(body):
    assert read(Person, body) == Person()


@given(
    st.lists(
        st.none()
        | st.sampled_from(GOOD)
        | st.integers()
        | st.text(max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "jobs", "raw", "place", "followers", "related", "x"]),
            st.none() | st.integers() | st.text(max_size=2) | st.just({}) | st.just([{"a": 1}]),
            max_size=4,
        ),
        max_size=8,
    )
)
def test_every_row_of_every_page_is_counted(rows):
    page = read(People, {"people": rows})
    counts = page.counts
    assert page.received == len(rows) == len(page.items) + counts.nulls
    assert counts.nulls == rows.count(None)
    assert counts.unreadable == sum(isinstance(item, UnreadableItem) for item in page.items)
    for row, item in zip([row for row in rows if row is not None], page.items, strict=True):
        if row in GOOD:
            assert item == read(Person, row)
        if not isinstance(row, dict):
            assert isinstance(item, UnreadableItem)
    texts = b"[%b]" % b",".join(map(write_item, page.items))
    assert read_items(Person, texts) == page.items


@pytest.mark.parametrize(
    "text",
    ["", "undefined", "https://www.linkedin.com/in/undefined", "in/null", "company/", "None",
     "https://www.linkedin.com/in/", "https://linkedin.com/sales/company/", "urn:li:activity:nan",
     "https://www.linkedin.com/in/undefined/?trk=x", "sales/undefined", "#", "-", "n/a", "0", "/",
     "https://www.linkedin.com/search/results/people/headless?origin=x&keywords=y",
     "https://linkedin.com/sales/lead/,NAME_SEARCH,undefined", "undefined,NAME_SEARCH,undefined",
     "https://linkedin.com/sales/lead/undefined,NAME_SEARCH,undefined", ",NAME_SEARCH,x",
     "https://linkedin.com/sales/lead/null%2CNAME_SEARCH%2Cnull?_ntb=x",
     "urn:li:fs_salesProfile:(undefined,undefined,undefined)", "urn:li:fs_salesProfile:(,,)",
     "https://www.linkedin.com/in/%5Bobject%20Object%5D", "[object Object]", "in/[object Null]/"],
)  # fmt: skip
def test_a_placeholder_is_no_id(text):
    assert known_id(text) is None


@pytest.mark.parametrize(
    "text",
    ["in/ada", "ada", "10", "5:77", "urn:li:fs_salesProfile:(AC,NAME_SEARCH,undefined)", "in/nulls",
     "https://linkedin.com/sales/lead/AC,NAME_SEARCH,undefined", "p1 ", "company/undefined-labs",
     "https://www.linkedin.com/talent/profile/AEM?project=0"],
)  # fmt: skip
def test_an_id_is_one(text):
    assert known_id(text) == text
    assert known_id(None) is None
