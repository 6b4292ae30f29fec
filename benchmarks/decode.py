"""The cost of tolerant decoding, compared with msgspec alone, json.loads and pydantic.

pydantic gets a model with the fields of the struct. The others decode documents in an envelope
into a type that has one. The last document does not fit: a number in place of a text requires the
slow path, and the others cannot decode it at all.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import msgspec
from _baseline import baseline_model
from _harness import count, race, report, table
from _sample_data import page, person

from lix_async.core.decoding import decoder_for
from lix_async.providers.lix.endpoints.profiles import PERSON
from lix_async.providers.lix.endpoints.searches import SEARCH_PEOPLE

ENVELOPE = "searchResponse"
WRAPPED = msgspec.defstruct("Wrapped", [(ENVELOPE, SEARCH_PEOPLE.result)])
Read = Callable[[bytes], Any]


def decoders(ours: type, theirs: type) -> dict[str, Read]:
    """The decoders for a document of this type."""
    found: dict[str, Read] = {
        "lix_async": decoder_for(ours).read,
        "msgspec alone": msgspec.json.Decoder(theirs, strict=False).decode,
        "json.loads": json.loads,
    }
    try:
        import pydantic
    except ImportError:
        print("pydantic is not installed: left out")
    else:
        found["pydantic"] = baseline_model(theirs, pydantic.BaseModel).model_validate_json
    return found


def repeated(read: Read, body: bytes, times: int) -> Callable[[], Awaitable[None]]:
    """Return a contender."""

    async def contender() -> None:
        for _ in range(times):
            read(body)

    return contender


async def compare(name: str, body: bytes, able: dict[str, Read], base: str) -> None:
    """One document."""
    times = count(8_000_000, 2_000_000) // len(body)
    contenders = {who: repeated(read, body, times) for who, read in able.items()}
    found = await race(contenders, units=times, rounds=count(11, 5))
    title = f"Reading {name}, {len(body):,} bytes (CPU µs)"
    table(title, ["", "median", "least", "most"], found.rows())
    report(f"reading {name}", found.ratio("lix_async", base).median, f"times {base}")


async def main() -> None:
    people, listing = decoders(PERSON.result, PERSON.result), SEARCH_PEOPLE.result
    assert len(decoder_for(listing).read(page(1, envelope=ENVELOPE)).items) == 25
    await compare("a person", person(1), people, "msgspec alone")
    await compare("a page of 25", page(1), decoders(listing, listing), "msgspec alone")
    wrapped = page(1, envelope=ENVELOPE)
    await compare("a page in an envelope", wrapped, decoders(listing, WRAPPED), "msgspec alone")
    odd = person(1).replace(b'"Example Analyst"', b"4711")
    able = {who: people[who] for who in ("lix_async", "json.loads")}
    await compare("a person to repair", odd, able, "json.loads")


if __name__ == "__main__":
    anyio.run(main)
