"""The key of a call: what makes two calls the same lookup."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

import msgspec

from ..core.canonical import canonical_forms
from ..core.endpoint import AnyEndpoint
from ..core.errors import ConfigurationError
from ..core.models import Params
from ..core.provider import Provider
from ..core.validation import encoded_json
from ..core.wire import HttpRequest
from ..ledger.identity import alias_of
from ..ledger.records import CallQuery
from ..ledger.store import Store
from .engine import Engine

RULE = "3"
"""The version of the rule that makes keys, which is a part of them."""
Input = str | int | Mapping[str, object]
"""The method's first argument, or its keyword arguments."""


class PreparedCall(msgspec.Struct, frozen=True, gc=False):
    """One call that is to be made once, with its key."""

    row: AnyEndpoint
    params: Params
    key: bytes
    """16 bytes. The same for every form of the same lookup."""
    request: HttpRequest
    """The first one, which has been checked by being made."""
    max_items: int | None = None
    """Items of a listing that are wanted at most."""
    asked: tuple[str, bytes] | None = None
    """The id of the person or organisation that it asks about."""
    variant: bytes = b""
    """The same for calls that differ only in that."""

    def left(self, items: int) -> int | None:
        """Items that are still wanted after so many; None for all."""
        return None if self.max_items is None else max(self.max_items - items, 0)

    @property
    def query(self) -> CallQuery:
        """What finds it in a ledger."""
        return CallQuery(self.key, self.row.id, self.asked, self.variant)

    @property
    def listing(self) -> bool:
        """Whether it is a listing."""
        return self.row.is_listing


def server_of(provider: Provider, origin: str) -> str:
    """The part of a key that names the server: empty where it is the provider's own."""
    own = urlsplit(provider.base_url).hostname
    return "" if urlsplit(origin).hostname == own else origin


def key_text(
    provider: str,
    origin: str,
    account: str,
    row: AnyEndpoint,
    params: Params,
    *,
    subject: bool = True,
) -> bytes:
    """(Rule, provider, server, account, endpoint, params): a key is the fingerprint of it.

    Args:
        provider: The name of the provider.
        origin: Its server, where that is not the provider's own; else empty.
        account: The caller's name of the account.
        row: The endpoint.
        params: Its parameters, prepared.
        subject: Whether those that name the subject count.
    """
    forms = canonical_forms(type(params))
    fields: dict[str, object] = {}
    for name in params.__struct_fields__:
        value: object = getattr(params, name)
        if value is None or name == "sequence_id":
            continue
        form = forms.get(name)
        if form is not None and form.names and not subject:
            continue
        fields[name] = form.of(value) if form and isinstance(value, str) else value
    identity = [RULE, provider, origin, account, row.id, fields]
    return msgspec.json.encode(identity, order="deterministic")


def prepared_call(
    engine: Engine,
    server: str,
    account: str,
    row: AnyEndpoint,
    params: Params,
    max_items: int | None = None,
) -> PreparedCall:
    """The call of an endpoint with these parameters, checked and with the client's defaults.

    Raises:
        ConfigurationError: It cannot be sent.
    """
    params = engine.prepare_params(row, params)
    text = key_text(engine.provider.name, server, account, row, params)
    request = engine.request_for(row, params)
    if max_items is not None:  # the beginning of a listing is another lookup than all of it
        text += b" %d" % max_items
    variant = b""
    if row.subject is not None:
        variant = key_of(
            key_text(engine.provider.name, server, account, row, params, subject=False)
        )
    return PreparedCall(
        *(row, params, key_of(text), request, max_items, asked_id(row, params), variant)
    )


def asked_id(row: AnyEndpoint, params: Params) -> tuple[str, bytes] | None:
    """The id of the person or organisation that a call asks about; None where it names none."""
    if row.subject is None:
        return None
    for name, form in canonical_forms(type(params)).items():
        value: object = getattr(params, name)
        if form.names and form.names != "another" and value:
            return alias_of(value, form.names, row.subject)
    return None


def is_member_urn(given: object) -> bool:
    """Whether an input is the URN of a member, which no page shows."""
    return isinstance(given, str) and given.strip().lower().startswith("urn:li:member:")


async def member_page(store: Store, urn: str) -> str:
    """The page of a member, by an id that answers in a ledger show together with the URN's.

    Raises:
        ConfigurationError: No answer does.
    """
    page = await store.page_of(urn)
    if page is not None:
        return page
    error = ConfigurationError(
        f"{urn}: no page shows the id of a member, and no answer in the ledger connects it with an "
        "id that has one"
    )
    error.family = "input"
    raise error


def key_of(text: bytes) -> bytes:
    """The key that is made of a text."""
    return hashlib.blake2b(text, digest_size=16).digest()


def input_json(given: Input) -> bytes:
    """An input as JSON, as a ledger keeps it for people.

    Raises:
        ConfigurationError: It cannot be written as JSON.
    """
    return encoded_json("the input", given, arguments)


def arguments(given: object) -> dict[str, object] | None:
    """The keyword arguments in an input: a mapping, or a row of a database; else None."""
    if isinstance(given, str | int):
        return None
    if isinstance(given, Mapping) or callable(getattr(given, "keys", None)):
        return dict(cast("Mapping[str, object]", given))
    return None
