"""Keys as version 2 made them, under which ledgers of then have their lookups."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from ..core.endpoint import AnyEndpoint
from ..core.models import Params
from ..ledger.records import CallQuery, StoredLookup
from ..ledger.store import Store
from ..linkedin import classify
from .call_key import PreparedCall, key_of

_SAME_KIND = {"lead": "person", "recruiter": "person", "account": "organisation"}


async def rekey(
    store: Store,
    provider: str,
    account: str,
    calls: Mapping[bytes, PreparedCall],
    leads_to: Callable[[StoredLookup, PreparedCall], bool],
) -> None:
    """Give lookups of a ledger that older versions wrote the keys of today, where it has them.

    Only the client and the account can tell what an input of then would send, so a migration
    cannot do it for all.

    Args:
        store: The ledger.
        provider: The name of the provider.
        account: The caller's name of the account.
        calls: Calls whose keys the ledger does not have, by key.
        leads_to: Whether the input of a lookup leads to a call: the old rule gave one key to some
            calls that differ.
    """
    calls_by_old: dict[bytes, PreparedCall] = {}
    for call in calls.values():
        for text in old_texts(provider, account, call.row.id, call.params, call.max_items):
            calls_by_old[key_of(text)] = call
    found = await store.find(list(calls_by_old))
    pairs = [(old, lookup, calls_by_old[old]) for old, lookup in found.items()]
    await store.rekey({old: call.key for old, lookup, call in pairs if leads_to(lookup, call)})


async def learn_answers(
    store: Store,
    name: str,
    endpoints: Mapping[str, AnyEndpoint],
    call_of: Callable[[StoredLookup], CallQuery | None],
) -> None:
    """Learn from the answers that a ledger had before it learned from them.

    Those of all endpoints tell which ids belong together. Only the client and the account can tell
    which other parameters a lookup had, so for that it is done once for each method.

    Args:
        store: The ledger.
        name: The provider, the method or the endpoint, and the account.
        endpoints: The endpoints whose answers are read.
        call_of: What the input of a lookup asks for; None where it makes no call.
    """
    done = f"identity {name}"
    if await store.about(done):
        return
    groups = {name: endpoint.ids for name, endpoint in endpoints.items() if endpoint.ids}

    def variant(lookup: StoredLookup) -> bytes:
        endpoint = endpoints.get(lookup.endpoint)
        found = None if endpoint is None or endpoint.subject is None else call_of(lookup)
        return b"" if found is None or found.key != lookup.key else found.variant

    last: int | None = 0
    while last is not None:
        last = await store.learn_stored(last, groups, variant)
    await store.set_about(done, "done")


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
