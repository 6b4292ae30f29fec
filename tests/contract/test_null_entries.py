"""A null among the rows of any listing of any provider changes no request of it."""

from __future__ import annotations

from typing import Any

import anyio
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_provider import SampleClient, reply

from lix_async.core.endpoint import AnyEndpoint
from lix_async.core.models import Params
from lix_async.core.pagination import SinglePage
from lix_async.providers.connectsafely import endpoints as connectsafely
from lix_async.providers.connectsafely.provider import CONNECTSAFELY
from lix_async.providers.letrics import endpoints as letrics
from lix_async.providers.letrics.provider import LETRICS
from lix_async.providers.lix import endpoints as lix
from lix_async.providers.lix.params.filters import SkillFilter
from lix_async.providers.lix.provider import LIX
from lix_async.providers.lookc import endpoints as lookc
from lix_async.providers.lookc.provider import LOOKC
from lix_async.providers.meetalfred import endpoints as meetalfred
from lix_async.providers.meetalfred.provider import MEETALFRED

LISTINGS = {
    row.id: (provider, row)
    for provider, module in (
        (LIX, lix), (LOOKC, lookc), (CONNECTSAFELY, connectsafely), (LETRICS, letrics),
        (MEETALFRED, meetalfred),
    )
    for row in module.BY_ID.values()
    if row.paging is not None and not isinstance(row.paging, SinglePage)
}  # fmt: skip
SIZE = 5
IDS = (
    "id", "publicIdentifier", "entityUrn", "personId", "viewerId", "displayValue", "entity",
    "post_urn", "comment_urn", "groupId", "profileUrn", "backendUrn", "conversationUrn", "urn",
)  # fmt: skip


def entry(number: int) -> dict[str, object]:
    """A row of every listing: it has an id under each name."""
    text = f"x{number}"
    return dict.fromkeys(IDS, text) | {
        "link": f"https://www.linkedin.com/in/{text}",
        "actor": {"link": f"https://www.linkedin.com/in/{text}"},
        "nextPageStartsAt": 1_700_000_000_000 - number,
    }


def params_of(row: AnyEndpoint) -> Params:
    known = {"url": "https://www.linkedin.com/search/results/people/?keywords=x", "count": SIZE,
             "per_page": SIZE, "profile_link": "https://www.linkedin.com/in/x",
             "post_urn": "urn:li:activity:1", "organisation_link": "https://www.linkedin.com/company/x",
             "org_id": "1", "viewer_id": "v", "sequence_id": "s", "list_id": "1",
             "conversation_id": "c", "skills": [SkillFilter("x", "y")]}  # fmt: skip
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(row.params):
        if field.name in known:
            values[field.name] = known[field.name]
        elif field.required:
            values[field.name] = known.get(field.name, "x")
    return row.params(**values)


def page(row: AnyEndpoint, rows: list[Any], token: str | None, total: int | None) -> Any:
    """A page of a listing, with the position of the next one in every form."""
    root = getattr(row.result, "__root__", None)
    fields = row.result.__struct_fields__
    name = row.result.__struct_encode_fields__[fields.index("items")]
    if root and name == "accounts":
        return reply(200, rows)
    more = token is not None
    paging = {"count": SIZE, "total": total, "after": token}
    return reply(200, {
        name: rows, "paging": paging, "pagination_token": token, "sequenceId": token,
        "pagination": {"total": total, "hasNextPage": more, "nextPaginationToken": token},
        "meta": {"total": total, "sequenceId": "s"},
    })  # fmt: skip


async def requests(row_id: str, nulls: set[int], total: int | None) -> tuple[list[Any], list[Any]]:
    """The requests for 3 pages, of which the last is short, and the ids of the items."""
    provider, row = LISTINGS[row_id]
    count = 3 * SIZE - 1
    rows = [None if n in nulls else entry(n) for n in range(count)]
    answers = [
        page(row, rows[:SIZE], "t1", total),
        page(row, rows[SIZE : 2 * SIZE], "t2", total),
        page(row, rows[2 * SIZE :], None, total),
        page(row, [], None, total),
    ]

    class OfProvider(SampleClient):
        pass

    OfProvider.provider = provider
    client = OfProvider(*answers, base_url="https://api.example")
    pages = client.pages(row, params_of(row))
    items = await pages.collect()
    assert pages.stats.nulls == len(nulls)
    assert pages.stats.complete
    return [(sent.target, sent.body) for sent in client.script.sent], items


@pytest.mark.parametrize("row_id", sorted(LISTINGS))
@pytest.mark.parametrize("total", [None, 3 * SIZE - 1])
@settings(max_examples=4)
@given(st.sets(st.integers(0, 3 * SIZE - 2), max_size=6))
def test_null_entries_change_no_request(row_id, total, nulls):
    if row_id == "sales.threads":  # the last thread of a page leads to the next one
        nulls -= {SIZE - 1, 2 * SIZE - 1, 3 * SIZE - 2}

    async def compare() -> None:
        expected, whole = await requests(row_id, set(), total)
        found, items = await requests(row_id, nulls, total)
        assert found == expected
        assert items == [item for n, item in enumerate(whole) if n not in nulls]

    anyio.run(compare)
