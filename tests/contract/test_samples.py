"""Every published sample is decoded, and every value in it can be reached."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lix_methods import CATALOGUE, CONTRACT, SAMPLES

from lix_async.core.decoding import TolerantDecoder, decoder_for, read_items
from lix_async.core.errors import LixError
from lix_async.core.models import Listing, item_type
from lix_async.core.schema_drift import Drift, DriftDetector
from lix_async.core.wire import decode
from lix_async.providers.lix.endpoints import BY_ID
from lix_async.providers.lix.provider import LIX

FILES = {
    name.removeprefix("samples/").removesuffix(".json"): row["id"]
    for row in CATALOGUE
    for name in (row["example"], *row["variants"])
}
SEEDS = {
    f"seed/{path.stem}": path.stem.removesuffix(suffix)
    for path in sorted((SAMPLES / "seed").glob("*.json"))
    for suffix in [next((s for s in (".object", ".call", ".older") if path.stem.endswith(s)), "")]
    if path.stem != "error"
}
ALL = FILES | SEEDS
QUICK = {
    name
    for name, id_ in ALL.items()
    if id_.startswith(("person.get", "search.", "sales.search", "recruiter.search", "sales.list"))
} - {
    "variants/person.get.minimal",
    "variants/search.people.null_items",
    "variants/search.people.empty",
    "variants/sales.search_orgs.nested",
    *(f"{where}search.{what}" for where in ("", "seed/") for what in ("jobs", "orgs")),
}
"""Profiles and searches in every envelope, with rows under today's name: they need no repair."""

OTHERS = ("lookc.", "connectsafely.", "letrics.", "meetalfred.")
"""Samples of other providers, which have their own tests."""


def body(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def read(name: str) -> Any:
    value = decode(LIX, BY_ID[ALL[name]], 200, body(name))
    assert not isinstance(value, LixError), value
    return value


def plain(value: object) -> str:
    """A value in one form: digits in a text as a number, a time as epoch seconds."""
    text = str(value)
    try:
        return str(int(datetime.fromisoformat(text).timestamp())) if "T" in text else text
    except ValueError:
        return text


def leaves(tree: object) -> Iterator[str]:
    """Every value of a tree that is neither a container nor empty."""
    if isinstance(tree, dict):
        for value in tree.values():
            yield from leaves(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from leaves(value)
    elif tree not in (None, ""):
        yield plain(tree)


def published(name: str) -> Counter[str]:
    tree = json.loads(body(name))
    if name == "variants/account.daily_allowance.both":
        del tree["refreshesAtISO"]  # the same time twice
    if name == "variants/sales.thread.elements":
        del tree["data"]["paging"]  # of a list with one item, in an early draft
    if ALL[name] == "person.legacy":
        for school in tree["education"]:
            school["fieldsOfStudy"] = ", ".join(school["fieldsOfStudy"])
    return Counter(leaves(tree))


def test_every_file_is_used() -> None:
    there = {
        str(path.relative_to(SAMPLES).with_suffix(""))
        for path in SAMPLES.rglob("*.json")
        if not path.name.startswith(OTHERS) and "errors" not in path.parts
    }
    assert there == set(ALL) | {"seed/error"}
    assert all((CONTRACT / row["example"]).is_file() for row in CATALOGUE)
    assert set(ALL.values()) == set(BY_ID)


@pytest.mark.parametrize("name", ALL)
def test_every_value_is_reachable(name: str) -> None:
    missing = published(name) - Counter(leaves(msgspec.to_builtins(read(name))))
    assert not missing


@pytest.mark.parametrize("name", ALL)
def test_decoded_samples_can_be_encoded_and_decoded_again(name: str) -> None:
    value = read(name)
    again = decoder_for(type(value)).read(msgspec.json.encode(value))
    assert again == value


@pytest.mark.parametrize("name", [n for n, id_ in ALL.items() if BY_ID[id_].paging is not None])
def test_items_of_a_checkpoint_are_restored(name: str) -> None:
    page: Listing[Any] = read(name)
    rows = page.rows()
    kind: type = item_type(type(page))
    assert read_items(kind, msgspec.json.encode(rows)) == rows
    assert all(type(row) is kind for row in rows)


@pytest.mark.parametrize("name", sorted(QUICK))
def test_profiles_and_searches_are_read_without_repair(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowly: list[bytes] = []
    monkeypatch.setattr(TolerantDecoder, "_read_slowly", lambda _, body: slowly.append(body))
    read(name)
    assert not slowly


@pytest.mark.parametrize("name", FILES)
def test_the_samples_have_no_schema_drift(name: str) -> None:
    reported: list[Drift] = []
    DriftDetector(reported.append).observe(ALL[name], BY_ID[ALL[name]].result, body(name))
    new = {drift.path for drift in reported if drift.kind == "new"}
    assert new <= ({"paging"} if name == "variants/sales.thread.elements" else set())


@pytest.mark.parametrize("entry", CATALOGUE, ids=[row["id"] for row in CATALOGUE])
def test_items_are_under_the_key_of_the_catalogue(entry: dict[str, Any]) -> None:
    items = entry["paging"]["items"]
    page = read(Path(entry["example"]).stem)
    if items is None or not isinstance(page, Listing):
        return
    tree = json.loads(body(Path(entry["example"]).stem))
    for key in items.split(".") if items != "$" else ():
        tree = tree[key]
    assert len(page.items) == len(tree) > 0
    for fact, got in (("total", page.total), ("sequence_id", page.sequence_id)):
        if entry["paging"][fact] is not None and entry["paging"]["style"] != "token":
            assert got == _at(json.loads(body(Path(entry["example"]).stem)), entry["paging"][fact])


def _at(tree: Any, path: str) -> Any:
    for key in path.split("."):
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree
