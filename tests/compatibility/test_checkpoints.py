"""Every listing of every provider goes on from a stored checkpoint with exactly the next item."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from lix_async import Checkpoint
from lix_async.providers.lix.params import SkillFilter
from lix_async.sandbox import Sandbox
from lix_async.testing import memory_client

from .written import CLIENTS, method_of, read

pytestmark = pytest.mark.anyio
LISTINGS: list[dict[str, Any]] = read("listings.json")


def arguments_of(listing: dict[str, Any]) -> dict[str, Any]:
    arguments = dict(listing["arguments"])
    if "skills" in arguments:
        arguments["skills"] = [SkillFilter(**one) for one in arguments["skills"]]
    return arguments


def in_the_same_order(listing: dict[str, Any], written: dict[str, Any]) -> dict[str, Any]:
    """The arguments of the whole listing; a sequence id decides on the order of a search."""
    arguments = arguments_of(listing)
    sequence = (written["params"] or {}).get("sequence_id")
    if sequence and not listing["method"].startswith("messages."):  # there it is the position
        arguments["sequence_id"] = sequence
    return arguments


@pytest.mark.parametrize(
    "listing", LISTINGS, ids=[f"{one['provider']}-{one['method']}" for one in LISTINGS]
)
async def test_a_listing_goes_on_with_exactly_the_next_item(
    listing: dict[str, Any], sandbox: Sandbox
) -> None:
    points = listing["checkpoints"]
    async with memory_client(sandbox, CLIENTS[listing["provider"]]) as client:
        method = method_of(client, listing["method"])
        whole = await method(**in_the_same_order(listing, points[-1]["checkpoint"])).collect()
        assert len(whole) == listing["items"]
        for point in points:
            sandbox.reset()
            written, handed_out = point["checkpoint"], point["handed_out"]
            resume = Checkpoint.from_json(json.dumps(written))
            pages = method(**arguments_of(listing), resume=resume)
            begun = tree(pages.checkpoint)
            begun["stats"] = {name: begun["stats"][name] for name in written["stats"]}
            assert begun == {**written, "seen": sorted(written["seen"])}
            rest = await pages.collect()
            assert msgspec.json.encode(rest) == msgspec.json.encode(whole[handed_out:])
            # The last thread has no time: one more page is asked for, from the one before it.
            more = listing["method"] == "sales.threads" and written["params"] is not None
            count = listing["pages"] + more
            assert len(sandbox.requests) == count - written["stats"]["pages"]
            assert (pages.stats.items, pages.stats.pages) == (len(whole), count)
            assert sandbox.ledger.repeats() == {}


def tree(checkpoint: Checkpoint) -> dict[str, Any]:
    """A checkpoint as it would be stored now. What was seen is a set: its order means nothing."""
    found: dict[str, Any] = json.loads(checkpoint.to_json())
    return {**found, "seen": sorted(found["seen"])}
