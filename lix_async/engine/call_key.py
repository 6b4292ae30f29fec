"""The key of a call: what makes two calls the same lookup."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import cast

import msgspec

from ..core.canonical import canonical_forms
from ..core.endpoint import AnyEndpoint
from ..core.models import Params
from ..core.validation import encoded_json

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
    max_items: int | None = None
    """Items of a listing that are wanted at most."""

    def left(self, items: int) -> int | None:
        """Items that are still wanted after so many; None for all."""
        return None if self.max_items is None else max(self.max_items - items, 0)

    @property
    def listing(self) -> bool:
        """Whether it is a listing."""
        return self.row.is_listing


def key_text(provider: str, origin: str, account: str, row: AnyEndpoint, params: Params) -> bytes:
    """(Rule, provider, server, account, endpoint, params): a key is the fingerprint of it.

    Args:
        provider: The name of the provider.
        origin: Its server, where that is not the provider's own; else empty.
        account: The caller's name of the account.
        row: The endpoint.
        params: Its parameters, prepared.
    """
    forms = canonical_forms(type(params))
    fields: dict[str, object] = {}
    for name in params.__struct_fields__:
        value: object = getattr(params, name)
        if value is None or name == "sequence_id":
            continue
        form = forms.get(name)
        fields[name] = form.of(value) if form and isinstance(value, str) else value
    identity = [RULE, provider, origin, account, row.id, fields]
    return msgspec.json.encode(identity, order="deterministic")


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
