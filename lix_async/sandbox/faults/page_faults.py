"""What the faults of stage `page` do to a page: to its rows, total and sequence id."""

from __future__ import annotations

from typing import cast

Body = dict[str, object]
_WRAPPERS = ("searchResponse", "response", "connections_response", "data")


def _holder(body: object) -> tuple[Body, str] | None:
    """The object that holds the rows of a page, and their key; None where the answer is no page."""
    if not isinstance(body, dict):
        return None
    whole = cast("Body", body)
    for place in (whole, *(whole.get(name) for name in _WRAPPERS)):
        if isinstance(place, dict):
            inner = cast("Body", place)
            for name, value in inner.items():
                if isinstance(value, list):
                    return inner, name
    return None


def _paging(holder: Body) -> Body:
    paging = holder.get("paging")
    return cast("Body", paging) if isinstance(paging, dict) else {}


def is_page(body: object) -> bool:
    """Whether an answer is a page of a listing, an empty one included."""
    return _holder(body) is not None


def play(name: str, body: object, before: object, sequence: str) -> object:
    """The page as a fault leaves it; the body itself may be changed.

    `before` is the page this listing gave last, or None. `sequence` is the id that
    `changed_sequence` puts in. An answer that is no page is left alone.
    """
    if (found := _holder(body)) is None:
        return body
    if name == "repeated_page":
        return body if before is None else before
    holder, key = found
    paging = _paging(holder)
    rows = cast("list[object]", holder[key])
    match name:
        case "overlap":
            earlier = _holder(before)
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
            _rename(cast("Body", body), sequence)
        case _:
            paging |= _odd_total(name, paging.get("total"))
    if "count" in paging and name in ("overlap", "short_page", "empty_page", "null_items"):
        paging["count"] = len(cast("list[object]", holder[key] or []))
    return body


def _odd_total(name: str, total: object) -> Body:
    if not isinstance(total, int):
        return {}
    odd: Body = {
        "shrinking_total": total // 2,
        "growing_total": total + 50,
        "string_total": str(total),
        "nonsense_total": "many",
    }
    return {"total": odd[name]}


def _rename(body: Body, sequence: str) -> None:
    meta = body.get("meta")
    if isinstance(meta, dict):
        cast("Body", meta)["sequenceId"] = sequence


def sequence_of(body: object) -> str | None:
    """The sequence id that a search shows in `meta`, or None."""
    meta = cast("Body", body).get("meta") if isinstance(body, dict) else None
    value = cast("Body", meta).get("sequenceId") if isinstance(meta, dict) else None
    return value if isinstance(value, str) else None
