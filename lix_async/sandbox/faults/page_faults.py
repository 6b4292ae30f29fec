"""Faults of the stage `page`: wrong items, totals and sequence ids."""

from __future__ import annotations

from typing import cast

from ...core.values import JsonObject

_WRAPPERS = ("searchResponse", "response", "connections_response", "data")


def _find_items(body: object) -> tuple[JsonObject, str] | None:
    """The object that holds the items of a page, and their key; None if this is not a page."""
    if not isinstance(body, dict):
        return None
    outer = cast("JsonObject", body)
    for value in (outer, *(outer.get(name) for name in _WRAPPERS)):
        if isinstance(value, dict):
            inner = cast("JsonObject", value)
            for name, items in inner.items():
                if isinstance(items, list):
                    return inner, name
    return None


def _paging(parent: JsonObject) -> JsonObject:
    paging = parent.get("paging")
    return cast("JsonObject", paging) if isinstance(paging, dict) else {}


def is_page(body: object) -> bool:
    """Whether a body is a page of a listing; it may be empty."""
    return _find_items(body) is not None


def apply_to_page(name: str, body: object, previous: object, sequence_id: str) -> object:
    """Apply a fault to a page. May change `body` in place.

    Args:
        name: The fault's name.
        body: The body. A body that is not a page is returned as it is.
        previous: The last page of this listing, or None.
        sequence_id: The sequence id that `changed_sequence` sets.
    """
    if (found := _find_items(body)) is None:
        return body
    if name == "repeated_page":
        return body if previous is None else previous
    parent, key = found
    paging = _paging(parent)
    items = cast("list[object]", parent[key])
    match name:
        case "overlap":
            earlier = _find_items(previous)
            last = cast("list[object]", earlier[0][earlier[1]])[-1:] if earlier else []
            parent[key] = last + items
        case "short_page":
            parent[key] = items[: (len(items) + 1) // 2]
        case "empty_page":
            parent[key] = []
        case "null_items":
            parent[key] = None
        case "missing_total":
            paging.pop("total", None)
        case "changed_sequence":
            _set_sequence_id(cast("JsonObject", body), sequence_id)
        case _:
            paging |= _changed_total(name, paging.get("total"))
    if "count" in paging and name in ("overlap", "short_page", "empty_page", "null_items"):
        paging["count"] = len(cast("list[object]", parent[key] or []))
    return body


def _changed_total(name: str, total: object) -> JsonObject:
    if not isinstance(total, int):
        return {}
    totals: JsonObject = {
        "shrinking_total": total // 2,
        "growing_total": total + 50,
        "string_total": str(total),
        "nonsense_total": "many",
    }
    return {"total": totals[name]}


def _set_sequence_id(body: JsonObject, sequence: str) -> None:
    meta = body.get("meta")
    if isinstance(meta, dict):
        cast("JsonObject", meta)["sequenceId"] = sequence


def sequence_id_of(body: object) -> str | None:
    """The sequence id in `meta`, or None."""
    meta = cast("JsonObject", body).get("meta") if isinstance(body, dict) else None
    value = cast("JsonObject", meta).get("sequenceId") if isinstance(meta, dict) else None
    return value if isinstance(value, str) else None
