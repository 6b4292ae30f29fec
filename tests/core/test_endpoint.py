"""Endpoints, the checks of params, and listings."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import msgspec
import pytest
from sample_provider import LIST, SEND, THING, ListParams, SendParams, Thing, ThingPage, ThingParams

from lix_async.core.endpoint import (
    FREE,
    UNKNOWN,
    Price,
    at_least,
    at_most,
    check_params,
    exactly_one,
    org,
    required,
    standard,
)
from lix_async.core.errors import ConfigurationError
from lix_async.core.models import Listing, Meta, Model, Paging, Params


class Ids(Params, frozen=True, kw_only=True, rename="camel"):
    first_id: str | None = None
    second_id: list[str] | None = None
    viewer_id: str | None = None
    count: int | None = None


def test_an_endpoint_is_a_value():
    assert (LIST.idempotent, SEND.idempotent, THING.credits, THING.paging) == (
        True,
        False,
        standard(2),
        None,
    )
    with pytest.raises(FrozenInstanceError):
        THING.path = "/elsewhere"  # type: ignore[misc]


def test_prices_have_a_kind_and_an_amount():
    assert (standard(2), org(1)) == (Price("standard", 2), Price("org", 1))
    assert (FREE.kind, UNKNOWN.kind, FREE.amount, UNKNOWN.amount) == ("free", "unknown", 0, 0)


def test_params_are_valid_and_idempotent_by_default():
    class Acting(ThingParams, frozen=True, kw_only=True):
        def is_idempotent(self) -> bool:
            return self.note != "act"

    assert Params().check() is None
    assert THING.for_params(ThingParams(id="1")) is THING
    assert THING.for_params(Acting(id="1")) is THING
    acting = THING.for_params(Acting(id="1", note="act"))
    assert (acting.idempotent, acting.id, THING.idempotent) == (False, "thing.get", True)


def test_a_result_is_encoded_under_the_names_of_the_wire():
    thing = Thing(id="a")
    assert repr(thing) == "Thing(id='a')"
    assert msgspec.json.encode(Meta(sequence_id="s")) == b'{"sequenceId":"s"}'


@pytest.mark.parametrize(
    ("page", "total", "sequence"),
    [
        (ThingPage(), None, None),
        (ThingPage(paging=Paging()), None, None),
        (ThingPage(paging=Paging(total=0)), 0, None),
        (ThingPage(paging=Paging(total=7), meta=Meta(sequence_id="s")), 7, "s"),
        (ThingPage(paging=Paging(total=-1), meta=Meta(sequence_id="")), None, None),
    ],
)
def test_a_listing_has_its_total_and_sequence_id_if_they_were_sent(page, total, sequence):
    assert (page.total, page.sequence_id) == (total, sequence)


def test_a_listing_has_items_and_by_default_no_cursor():
    rows = [Thing(id="a")]
    assert ThingPage(items=rows).rows() is rows
    page: Listing[Any] = ThingPage()
    assert (page.cursor, page.continues, page.items) == (None, None, [])
    assert ThingPage().items is not ThingPage().items


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, "none is given"),
        ({"first_id": "", "second_id": []}, "none is given"),
        ({"first_id": "a", "second_id": ["b"]}, "first_id and second_id are given"),
    ],
)
def test_exactly_one_of_several_params_is_required(fields, found):
    exactly_one(Ids(first_id="a", second_id=[]), "first_id", "second_id")
    with pytest.raises(
        ConfigurationError, match=f"exactly one of first_id or second_id is required: {found}"
    ):
        exactly_one(Ids(**fields), "first_id", "second_id")


def test_required_params_must_not_be_missing_or_empty():
    required(Ids(first_id="a", count=0), "first_id", "count")
    with pytest.raises(ConfigurationError, match=r"^second_id must not be empty$"):
        required(Ids(first_id="a", second_id=[]), "first_id", "second_id")
    with pytest.raises(ConfigurationError, match=r"\(or set viewer_id on the client\)"):
        required(Ids(), "viewer_id")


def test_texts_have_a_longest_length_and_numbers_a_least_value():
    for fine in (Ids(), Ids(first_id="abc", count=3)):
        at_most(fine, "first_id", 3)
        at_least(fine, "count", 3)
    with pytest.raises(ConfigurationError, match="first_id must have at most 3 characters, not 4"):
        at_most(Ids(first_id="😀😀😀😀"), "first_id", 3)
    with pytest.raises(ConfigurationError, match="count must be at least 3, not 2"):
        at_least(Ids(count=2), "count", 3)


def test_valid_params_are_returned_unchanged():
    given = Ids(first_id="a", second_id=["b"], viewer_id="v", count=3)
    assert check_params(given, Ids) == given
    assert check_params(ListParams(q="x", start=5), ListParams) == ListParams(q="x", start=5)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (Ids(first_id=7), "first_id: Expected `str | null`, got `int`"),
        (Ids(second_id=["a", 7]), "second_id: Expected `str`, got `int`"),
        (Ids(count="many"), "count: Expected `int | null`, got `str`"),
        (SendParams(to=None, text="x"), "expected Ids, got SendParams"),
    ],
)
def test_a_wrong_type_is_rejected_by_the_name_of_the_field(params, message):
    with pytest.raises(ConfigurationError) as caught:
        check_params(params, Ids)
    assert str(caught.value) == message
    assert caught.value.__context__ is None


def test_a_subclass_keeps_its_own_fields():
    class More(Ids, frozen=True, kw_only=True):
        more: str = "m"

    assert check_params(More(first_id="a", more="n"), Ids) == More(first_id="a", more="n")
    assert isinstance(Model(), msgspec.Struct)
