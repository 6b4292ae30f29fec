"""Keys as version 2 made them, under which ledgers of then have their lookups."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ..core.models import Params
from ..linkedin import classify

_SAME_KIND = {"lead": "person", "recruiter": "person", "account": "organisation"}


def old_texts(
    provider: str, account: str, endpoint: str, params: Params, max_items: int | None
) -> list[bytes]:
    """What the key of a call may have been made of: links by what they name, and as they are.

    Some links that are known today were not known then.
    """
    texts: list[bytes] = []
    for form in (_old_form, str.strip):
        identity = [provider, account, endpoint, _old_fields(params, form)]
        text = msgspec.json.encode(identity, order="deterministic")
        texts.append(text if max_items is None else text + b" %d" % max_items)
    return texts


def _old_fields(params: Params, form: Callable[[str], str]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for name in params.__struct_fields__:
        value: object = getattr(params, name)
        if value is None or name == "sequence_id":
            continue
        if isinstance(value, str):
            value = value.strip().casefold() if name == "email" else form(value)
        fields[name] = value
    return fields


def _old_form(value: str) -> str:
    if "linkedin.com" in value.lower() or value.startswith("urn:li:"):
        link = classify(value)
        if link.kind in ("post", "unknown"):
            return link.urn or value.strip()
        if not link.kind.endswith("_search"):
            return f"{_SAME_KIND.get(link.kind, link.kind)} {link.id}"
    return value.strip()
