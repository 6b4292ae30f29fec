"""What the faults of stage `page` do to a page: to its rows, total and sequence id."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from ..protocol.responses import JsonObject

_WRAPPERS = ("searchResponse", "response", "connections_response", "data")


def _find_items(body: object) -> tuple[JsonObject, str] | None:
    """The object that holds the rows of a page, and their key; None where the answer is no page."""
    if not isinstance(body, dict):
        return None
    whole = cast("JsonObject", body)
    for place in (whole, *(whole.get(name) for name in _WRAPPERS)):
        if isinstance(place, dict):
            inner = cast("JsonObject", place)
            for name, value in inner.items():
                if isinstance(value, list):
                    return inner, name
    return None


def _paging(holder: JsonObject) -> JsonObject:
    paging = holder.get("paging")
    return cast("JsonObject", paging) if isinstance(paging, dict) else {}


def is_page(body: object) -> bool:
    """Whether an answer is a page of a listing, an empty one included."""
    return _find_items(body) is not None


def apply_to_page(name: str, body: object, previous: object, sequence_id: str) -> object:
    """The page as a fault leaves it; the body itself may be changed.

    `before` is the page this listing gave last, or None. `sequence` is the id that
    `changed_sequence` puts in. An answer that is no page is left alone.
    """
    if (found := _find_items(body)) is None:
        return body
    if name == "repeated_page":
        return body if previous is None else previous
    holder, key = found
    paging = _paging(holder)
    rows = cast("list[object]", holder[key])
    match name:
        case "overlap":
            earlier = _find_items(previous)
            last = cast("list[object]", earlier[0][earlier[1]])[-1:] if earlier else []
            holder[key] = last + rows
        case "short_page":
            holder[key] = rows[: (len(rows) + 1) // 2]
        case "empty_page":
            holder[key] = []
        case "null_items":
            holder[key] = None
        case "missing_total":
            paging.pop("total", None)
        case "changed_sequence":
            _set_sequence_id(cast("JsonObject", body), sequence_id)
        case _:
            paging |= _changed_total(name, paging.get("total"))
    if "count" in paging and name in ("overlap", "short_page", "empty_page", "null_items"):
        paging["count"] = len(cast("list[object]", holder[key] or []))
    return body


def _changed_total(name: str, total: object) -> JsonObject:
    if not isinstance(total, int):
        return {}
    odd: JsonObject = {
        "shrinking_total": total // 2,
        "growing_total": total + 50,
        "string_total": str(total),
        "nonsense_total": "many",
    }
    return {"total": odd[name]}


def _set_sequence_id(body: JsonObject, sequence: str) -> None:
    meta = body.get("meta")
    if isinstance(meta, dict):
        cast("JsonObject", meta)["sequenceId"] = sequence


def sequence_id_of(body: object) -> str | None:
    """The sequence id that a search shows in `meta`, or None."""
    meta = cast("JsonObject", body).get("meta") if isinstance(body, dict) else None
    value = cast("JsonObject", meta).get("sequenceId") if isinstance(meta, dict) else None
    return value if isinstance(value, str) else None
