"""What is of somebody is found however it is written, and cut out without the rest."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lix_async.core.installed_providers import all_endpoints
from lix_async.ledger.erasure import ErasedIds, needles, place_in
from lix_async.ledger.identity import find_ids
from lix_async.linkedin.subject_ids import Identifier, read_id

L = "https://www.linkedin.com"
JANE = (
    Identifier("slug", "jane-doe-1"),
    Identifier("profile", "ACoAAEXAMPLE000001"),
    Identifier("sales", "ACwAAEXAMPLE000001"),
    Identifier("member", "123456789"),
)
BOB = {"name": "Bob", "link": f"{L}/in/bob-roe-2", "liId": "ACoAAEXAMPLE000002"}
HERS = {"name": "Jane", "link": f"{L}/in/jane-doe-1", "liId": "ACoAAEXAMPLE000001"}
WHO = ErasedIds([], JANE)


def cut(endpoint: str, body: object, *, page: bool = False, who: ErasedIds = WHO) -> Any:
    left = who.cut_out(json.dumps(body).encode(), all_endpoints()[endpoint].ids, page=page)
    return None if left is None else json.loads(left)


@pytest.mark.parametrize(
    ("endpoint", "body", "left"),
    [
        ("person.get", HERS, None),
        ("person.get", {**BOB, "relatedPersons": [HERS, BOB]}, {**BOB, "relatedPersons": [BOB]}),
        ("person.get", {**BOB, "relatedPersons": [HERS], "sharedConnectionNames": ["Jane", "Bob"]}, {**BOB, "relatedPersons": [], "sharedConnectionNames": ["Bob"]}),
        ("person.get", {**BOB, "name": "Jane", "relatedPersons": [HERS]}, {**BOB, "name": "Jane", "relatedPersons": []}),
        ("person.get", {**BOB, "manager": HERS}, {**BOB, "manager": None}),
        ("person.get", {**BOB, "about": f"met {L}/in/jane-doe-1."}, {**BOB, "about": "met https://www.linkedin.com/in/."}),
        ("person.get", {**BOB, "urns": ["urn:li:member:123456789", "x"]}, {**BOB, "urns": ["x"]}),
        ("person.get", {**BOB, "count": 123456789}, {**BOB, "count": 123456789}),
        ("person.get", {**BOB, "about": "jane-doe-12, in/jane-doe-1x"}, {**BOB, "about": "jane-doe-12, in/jane-doe-1x"}),
        ("activity.comments", {"comments": [{"author": HERS, "text": "hi"}, {"author": BOB, "text": "ho"}]}, {"comments": [{"author": BOB, "text": "ho"}]}),
    ],
)  # fmt: skip
def test_what_is_theirs_goes_and_the_rest_stays(endpoint: str, body: object, left: object) -> None:
    assert cut(endpoint, body) == left


def test_a_page_stays_a_page() -> None:
    body = {"searchResponse": {"people": [HERS, BOB]}, "seen": f"{L}/in/jane-doe-1"}
    left = cut("search.people", body, page=True)
    assert left == {"searchResponse": {"people": [None, BOB]}, "seen": None}


def test_what_is_no_json_goes_where_it_has_an_id() -> None:
    assert WHO.cut_out(b"<p>in/jane-doe-1</p>", ()) is None
    assert WHO.cut_out(b"<p>bob</p>", ()) == b"<p>bob</p>"


@pytest.mark.parametrize("text", ["apple", "Apple", "12", 12])
def test_usual_words_and_numbers_are_no_ids_by_themselves(text: object) -> None:
    who = ErasedIds([], [Identifier("company", "apple"), Identifier("organisation", "12")])
    body = {**BOB, "employer": text}
    assert cut("person.get", body, who=who) == body
    assert who.are_in(f"{L}/company/apple/about")
    assert not who.are_in(f"{L}/company/apple-store")
    assert who.are_in("urn:li:fsd_company:12") or who.are_in("company:12")


@pytest.mark.parametrize(
    "given",
    ["jane-doe-1", f"{L}/in/Jane-Doe-1/", "urn:li:fsd_profile:ACoAAEXAMPLE000001", "123456789"],
)
def test_inputs_name_them_in_any_form(given: str) -> None:
    assert WHO.are_given(json.dumps(given).encode(), "person")
    assert WHO.are_given(json.dumps({"profile_link": given}).encode(), "person")
    assert not WHO.are_given(b'"bob-roe-2"', "person")
    assert not WHO.are_given(b"jane-doe-1", None) or WHO.are_in(b"jane-doe-1")


names = st.text(st.sampled_from("abcdefüñ日123456"), min_size=4, max_size=12).map(
    lambda s: f"{s}-0"
)
trees = st.recursive(
    st.sampled_from([None, 1, 2.5, True, "text", f"{L}/in/bob-roe-2", HERS, f"x {L}/in/NAME y"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "NAME", "link"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(name=names, tree=trees, ascii_only=st.booleans(), quoted=st.booleans())
@settings(max_examples=200, deadline=None)
def test_nothing_of_them_is_left_in_any_answer(
    name: str, tree: object, ascii_only: bool, quoted: bool
) -> None:
    found = read_id(f"{L}/in/{name}", "link", "person")
    assert found is not None
    who = ErasedIds([], [found, *JANE])
    text = json.dumps(tree, ensure_ascii=ascii_only)
    shown = quote(name) if quoted else json.dumps(name, ensure_ascii=ascii_only)[1:-1]
    body = text.replace("NAME", shown).encode()
    left = who.cut_out(body, all_endpoints()["person.get"].ids)
    if left is not None:
        assert not who.are_in(left)
        assert [one for one in needles([found, *JANE]) if place_in(left, one) >= 0] == []
        groups = find_ids(all_endpoints()["person.get"].ids, left)
        assert all(who.aliases.isdisjoint(group.aliases) for group in groups)
