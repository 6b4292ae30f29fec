"""The listing of the employees of an organisation, in both published forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from lix_async.core.decoding import decoder_for
from lix_async.core.errors import ConfigurationError, NotFoundError, PagingError
from lix_async.core.wire import HttpRequest, HttpResponse
from lix_async.providers.lookc.models import EmployeesPage

from .stub import Wire, client, says

pytestmark = pytest.mark.anyio

ORG = "00000000-0000-4000-8000-000000000200"
PATH = f"/org/{ORG}/employees"


def row(number: int) -> dict[str, object]:
    return {"personId": f"p{number}", "name": f"Example Person {number}"}


def page(*numbers: int, next: object = None) -> HttpResponse:
    links = {} if next is None else {"next": next}
    return says({"employees": [row(number) for number in numbers], "paging": {"_links": links}})


def link(cursor: str, before: str = "https://api.lookc.io") -> str:
    return f"{before}{PATH}?page_size=7&after={quote(cursor, '')}#top"


def cursors(wire: Wire) -> list[str | None]:
    return [query.get("after") for _, query in wire.asked]


async def test_cursors_lead_from_page_to_page() -> None:
    wire = Wire(employees=[page(1, 2, next=link("c/1=")), page(3, next=link("c+2 x")), page(4)])
    async with client(wire) as lookc:
        pages = lookc.employees(ORG, page_size=2)
        found = [person.person_id async for person in pages]
    assert found == ["p1", "p2", "p3", "p4"]
    assert wire.asked == [
        (PATH, {"page_size": "2"}),
        (PATH, {"page_size": "2", "after": "c/1="}),
        (PATH, {"page_size": "2", "after": "c+2 x"}),
    ]
    assert (pages.stats.pages, pages.stats.complete, pages.stats.total) == (3, True, None)


async def test_page_size_is_not_sent_by_default() -> None:
    wire = Wire(employees=[page(1)])
    await client(wire).employees(ORG).collect()
    assert wire.asked == [(PATH, {})]


@pytest.mark.parametrize(
    "before",
    [
        "https://api.lookc.io",
        "",
        "https://evil.example:8443",
        "//evil.example",
        "http://[broken",
        "ftp://user:word@evil.example",
    ],
)
async def test_only_the_cursor_of_a_link_is_used(before: str) -> None:
    """Absolute, relative, foreign or broken: the same endpoint is called with its cursor."""
    wire = Wire(employees=[page(1, next=link("next", before)), page(2)])
    assert len(await client(wire).employees(ORG).collect()) == 2
    assert wire.asked == [(PATH, {}), (PATH, {"after": "next"})]


@pytest.mark.parametrize(
    "next_link",
    [None, "", "https://api.lookc.io/org", "/x?after=", "/x?page_size=2", "#?after=x", "after=x"],
)
async def test_a_page_without_a_cursor_is_the_last(next_link: str | None) -> None:
    wire = Wire(employees=[page(1, next=next_link)])
    assert len(await client(wire).employees(ORG).collect()) == 1
    assert len(wire.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"paging": {"_links": {"next": link("more")}}},
        {"employees": None, "paging": {"_links": {"next": link("more")}}},
        {"employees": [], "paging": {"_links": {"next": link("more")}}},
        {"employees": [], "paging": None},
        {"data": [], "pagination": {"has_more": True, "after": "more"}},
        {},
    ],
)
async def test_a_page_without_employees_is_the_last(body: object) -> None:
    wire = Wire(employees=[says(body)])
    assert await client(wire).employees(ORG).collect() == []
    assert len(wire.asked) == 1


async def test_an_unchanged_cursor_ends_the_listing() -> None:
    wire = Wire(employees=[page(1, next=link("a")), page(2, next=link("a")), page(3)])
    assert len(await client(wire).employees(ORG).collect()) == 2
    assert cursors(wire) == [None, "a"]


async def test_a_circle_of_cursors_raises() -> None:
    wire = Wire(
        employees=[page(1, next=link("a")), page(2, next=link("b")), page(1, next=link("a"))]
    )
    pages = client(wire).employees(ORG)
    with pytest.raises(PagingError):
        await pages.collect()
    assert [person.person_id for person in pages.collected] == ["p1", "p2"]


async def test_the_preview_form_is_paginated() -> None:
    def preview(number: int, **pagination: object) -> HttpResponse:
        return says({"data": [{"person_id": f"p{number}"}], "pagination": pagination})

    wire = Wire(
        employees=[
            preview(1, has_more=True, after="a"),
            preview(2, after="b"),
            preview(3, hasMore=False, after="c"),
        ]
    )
    found = await client(wire).employees(ORG, 1).collect()
    assert [person.person_id for person in found] == ["p1", "p2", "p3"]
    assert cursors(wire) == [None, "a", "b"]


async def test_has_more_without_a_cursor_ends_the_preview_form() -> None:
    wire = Wire(employees=[says({"data": [row(1)], "pagination": {"has_more": True}})])
    assert len(await client(wire).employees(ORG).collect()) == 1
    assert len(wire.asked) == 1


def test_has_more_false_overrides_a_link() -> None:
    body = {"employees": [row(1)], "paging": {"has_more": False, "_links": {"next": link("x")}}}
    assert decoder_for(EmployeesPage).read(msgspec.json.encode(body)).cursor is None


async def test_a_person_is_returned_once_per_organisation() -> None:
    def at(org: str | None) -> dict[str, object]:
        return row(1) | {"currentOrg": org and {"orgId": org}}

    rows = [at("o1"), at("o2"), at("o1"), at(None), at(None), {"name": "hidden"}]
    wire = Wire(employees=[says({"employees": [*rows, {"name": "hidden"}]})])
    pages = client(wire).employees(ORG)
    found = await pages.collect()
    assert [person.identity for person in found] == ["p1 o1", "p1 o2", "p1 ", None, None]
    assert pages.stats.duplicates == 2


async def test_max_items_and_resume() -> None:
    answers = [page(1, 2, next=link("a")), page(3, 4)]
    wire = Wire(employees=list(answers))
    pages = client(wire).employees(ORG, 2, max_items=1)
    assert [person.person_id for person in await pages.collect()] == ["p1"]
    point = pages.checkpoint
    assert b"key" not in point.to_json()
    rest = await client(wire).employees(ORG, 2, resume=point).collect()
    assert [person.person_id for person in rest] == ["p2", "p3", "p4"]
    assert cursors(wire) == [None, "a"]
    with pytest.raises(PagingError):
        client(wire).employees("another", 2, resume=point)


async def test_prefetch_fetches_ahead() -> None:
    wire = Wire(employees=[page(1, next=link("a")), page(2)])
    async with client(wire).employees(ORG, prefetch=1) as pages:
        assert [person.person_id async for person in pages] == ["p1", "p2"]


@pytest.mark.parametrize(("org_id", "page_size"), [("", None), (ORG, 0), (ORG, -1)])
async def test_bad_arguments_are_rejected(org_id: str, page_size: int | None) -> None:
    with pytest.raises(ConfigurationError):
        client(Wire()).employees(org_id, page_size)


@pytest.mark.parametrize("org_id", [".", ".."])
async def test_an_id_is_escaped_in_the_path(org_id: str) -> None:
    wire = Wire(employees=[page(1)])
    with pytest.raises(ConfigurationError):
        await client(wire).employees(org_id).collect()
    assert wire.asked == []


async def test_an_unknown_organisation_is_not_found() -> None:
    wire = Wire(employees=[says(b"", 404)])
    with pytest.raises(NotFoundError, match="no such organisation") as caught:
        await client(wire).employees(ORG).first()
    assert caught.value.kind == "404"
    assert len(wire.asked) == 1, "only the status call has a second path"


async def test_the_price_of_a_page_is_not_published() -> None:
    lookc = client(Wire(employees=[page(1)]))
    await lookc.employees(ORG).collect()
    assert (lookc.credits.total, lookc.credits.unpriced) == (0, 1)


async def test_a_next_link_to_another_host_is_never_requested() -> None:
    seen: list[str] = []

    def answer(number: int, next: str | None) -> Callable[[HttpRequest], Any]:
        async def say(outgoing: HttpRequest) -> HttpResponse:
            seen.append(outgoing.target)
            return page(number, next=next)

        return say

    wire = Wire(employees=[answer(1, link("a", "https://evil.example")), answer(2, None)])
    async with client(wire).employees(ORG, prefetch=1) as pages:
        async for _ in pages.by_page():
            pass
    assert all(target.startswith("/org/") for target in seen)
    assert len(seen) == 2
