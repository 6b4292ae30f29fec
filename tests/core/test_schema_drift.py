"""The drift detector reports each difference between answers and structs once."""

from __future__ import annotations

import json

import msgspec

from lix_async.core.models import Listing, Model
from lix_async.core.schema_drift import Drift, DriftDetector


class Part(Model):
    title: str | None = None


class Item(Model):
    __aliases__ = {"full_name": "name"}
    __markers__ = {"old": None}
    name: str | None = None
    parts: list[Part] = []
    best: Part | None = None
    either: str | int | None = None


class Page(Listing[Item]):
    __envelopes__ = ("response",)
    __root__ = "rows"
    items: list[Item] = msgspec.field(name="rows", default_factory=list)


def reported(*bodies: object, kind: type = Page, end: bool = False) -> list[str]:
    seen: list[Drift] = []
    detector = DriftDetector(seen.append)
    for body in bodies:
        detector.observe("e", kind, body if isinstance(body, bytes) else json.dumps(body).encode())
    if end:
        detector.summarise()
        detector.summarise()
    return [str(drift) for drift in seen]


def test_a_key_that_the_struct_lacks_is_reported_once():
    body = {"rows": [{"parts": [{"title": "a", "new": 1}]}, {"best": {"newer": [1]}}], "top": 1}
    assert reported(body, body) == [
        "e rows[].parts[].new: not in the struct (1 answer)",
        "e rows[].best.newer: not in the struct (1 answer)",
        "e top: not in the struct (1 answer)",
    ]


def test_aliases_and_envelopes_are_not_reported():
    rows = [{"full_name": "a", "either": 1}, {"name": "b", "parts": None}]
    assert reported({"rows": rows}, {"response": {"rows": rows}, "meta": {}}, rows) == []


def test_an_older_form_of_an_object_is_skipped():
    assert reported({"rows": [{"old": 1, "whatever": 2}]}) == []


def test_a_body_that_is_not_a_json_object_is_skipped():
    assert reported(b"{", b"\xff", b"[" * 99_999, 7, {"rows": [7, None]}, {"rows": 7}) == []
    assert reported([1, 2], kind=Item) == []


def test_fields_that_were_never_received_are_reported_once_at_the_end():
    body = {"rows": [{"name": "a", "best": {"title": "t"}}], "paging": {"total": 1}}
    found = reported(body, {"rows": []}, end=True)
    assert "e rows[].parts: never received (2 answers)" in found
    assert "e meta: never received (2 answers)" in found
    assert not [line for line in found if "rows[].name" in line or "best.title" in line]
    assert len(found) == len(set(found))


def test_a_body_that_is_not_json_is_skipped():
    reported: list[Drift] = []
    detector = DriftDetector(reported.append)
    detector.observe("thing.get", Model, b"")
    detector.summarise()
    assert not reported
