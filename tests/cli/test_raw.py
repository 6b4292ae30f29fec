"""Items as received from the provider, or as read where they cannot be matched."""

from __future__ import annotations

from typing import cast

import msgspec
import pytest

from lix_async import Answer, Page
from lix_async.core.decoding import decoder_for
from lix_async.core.endpoint import AnyEndpoint
from lix_async.core.models import Listing
from lix_async.engine.raw_items import raw_items
from lix_async.providers.lix.endpoints.accounts import LINKEDIN_ACCOUNTS
from lix_async.providers.lix.endpoints.profiles import ACTIVITY_POSTS, POST_REACTIONS
from lix_async.providers.lix.endpoints.searches import (
    SALES_FACETS,
    SEARCH_JOBS,
    SEARCH_ORGS,
    SEARCH_PEOPLE,
)

PERSON = '{"name":"A","link":"https://www.linkedin.com/in/a","numOfConnections":"57","brandNew":{"x":[1.50]}}'


def page(row: AnyEndpoint, body: str, *, received: str | None = None) -> Page[object]:
    """A page of the body; its answer has another one where `received` is given."""
    listing = cast("Listing[object]", decoder_for(row.result).read(body.encode()))
    answer = Answer(
        value=listing,
        body=(body if received is None else received).encode(),
        status=200,
        raw_headers=[],
        attempts=1,
        waited=0.0,
        credits=1,
        lost=0,
    )
    items = listing.rows()
    return Page(list(items), 0, len(items), None, None, answer)


@pytest.mark.parametrize(
    "envelope",
    [
        '{"people":[%s]}',
        '{"searchResponse":{"paging":{"total":9},"people":[%s]},"meta":{"sequenceId":"x"}}',
        '{"response":{"people":[%s,null]}}',
        ' { "other" : [ 1 ] ,\n "people" : [\n %s ] } ',
    ],
)
def test_rows_are_as_received_in_every_envelope(envelope: str) -> None:
    found = raw_items(page(SEARCH_PEOPLE, envelope % PERSON))
    assert (found.items, found.as_received) == ([PERSON.encode()], True)


@pytest.mark.parametrize(
    ("row", "body"),
    [
        (SEARCH_JOBS, '{"jobPostings":[{"jobPostingId":12345678901234567890,"x":1}]}'),
        (SEARCH_JOBS, '{"searchResponse":{"people":[{"title":"T"}]}}'),
        (SEARCH_ORGS, '{"posts":[{"name":"O","liEmployeeCount":"12","y":null}]}'),
        (LINKEDIN_ACCOUNTS, '[{"viewerId":"v","z":1}]'),
        (SALES_FACETS, '{"data":{"elements":[{"id":"1","displayValue":"D","q":0}]}}'),
        (ACTIVITY_POSTS, '{"posts":[{"id":"p","likes":3}],"paging":{"total":1}}'),
    ],
)
def test_other_listings_keep_what_was_sent(row: AnyEndpoint, body: str) -> None:
    found = raw_items(page(row, body))
    assert found.as_received
    assert found.items[0] in body.encode()


def test_a_person_in_the_oldest_format_is_kept_as_received() -> None:
    body = '{"people":[{"fullName":"A B","workExperiences":[]}]}'
    assert raw_items(page(SEARCH_PEOPLE, body)).items == [
        b'{"fullName":"A B","workExperiences":[]}'
    ]


def test_only_new_items_are_matched() -> None:
    people = ",".join(f'{{"name":"{name}","extra":{n}}}' for n, name in enumerate("ABC"))
    found = page(SEARCH_PEOPLE, f'{{"people":[{people}]}}')
    del found.items[1]
    assert raw_items(found).items == [b'{"name":"A","extra":0}', b'{"name":"C","extra":2}']


def test_a_similar_list_is_not_taken() -> None:
    body = '{"related":[{"name":"X"},{"name":"Y"}],"people":[{"name":"A"},{"name":"B"}]}'
    assert raw_items(page(SEARCH_PEOPLE, body)).items == [b'{"name":"A"}', b'{"name":"B"}']


def test_grouped_rows_are_marked_as_read() -> None:
    body = (
        '{"reactions":[{"reaction_type":"LIKE","count":2,"reactors":[{"name":"A"},{"name":"B"}]}]}'
    )
    found = raw_items(page(POST_REACTIONS, body))
    assert not found.as_received
    assert [msgspec.json.decode(row)["actor"]["name"] for row in found.items] == ["A", "B"]


def test_items_without_an_answer_are_marked_as_read() -> None:
    people = page(SEARCH_PEOPLE, f'{{"people":[{PERSON}]}}')
    people.answer = None
    found = raw_items(people)
    assert not found.as_received
    assert msgspec.json.decode(found.items[0])["numOfConnections"] == 57


@pytest.mark.parametrize(
    "received", ['{"people":[{"name":"X"}]}', '{"people":[{"name":', "[[[[[1]]]]]"]
)
def test_items_that_the_answer_does_not_hold_are_marked_as_read(received: str) -> None:
    found = raw_items(page(SEARCH_PEOPLE, '{"people":[{"name":"A"}]}', received=received))
    assert not found.as_received
    assert msgspec.json.decode(found.items[0])["name"] == "A"
