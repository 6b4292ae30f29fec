"""What a method of a client would send for an input, without sending it.

A run takes methods such as `lix.people.get`. The method is called on a view of its client with a
`RecordingEngine`, so every method of every provider can be used, and its own checks are made before
anything is paid.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar, cast
from urllib.parse import urlsplit

import msgspec

from ..core.canonical import canonical_forms
from ..core.endpoint import AnyEndpoint
from ..core.errors import ConfigurationError, LixError
from ..core.models import Params
from ..core.validation import check_type, encoded_json
from ..core.wire import HttpRequest
from ..engine.client import Client
from ..engine.engine import Engine
from ..engine.pages import Pages
from ..engine.recording import RecordingEngine, recorded_call
from ..ledger.records import StoredLookup
from ..ledger.store import Store
from ..linkedin.links import plain
from .old_keys import old_texts

T = TypeVar("T")
RULE = "3"
"""The version of the rule that makes keys, which is a part of them."""
Input = str | int | Mapping[str, object]
"""The method's first argument, or its keyword arguments."""
ClientMethod = Callable[..., Awaitable[T]] | Callable[..., Pages[T]]


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

    def left(self, items: int) -> int | None:
        """Items that are still wanted after so many; None for all."""
        return None if self.max_items is None else max(self.max_items - items, 0)

    @property
    def listing(self) -> bool:
        """Whether it is a listing."""
        return self.row.is_listing


class CallKey(NamedTuple):
    """What is needed to find a call in a ledger."""

    key: bytes
    row: AnyEndpoint
    call: PreparedCall | None = None
    """The call, if it was prepared to find its key."""


class _KeyTemplate(NamedTuple):
    """The text of a key before and after the part in which inputs of a kind differ."""

    before: str
    after: str
    row: AnyEndpoint


class CallPreparer:
    """Turns inputs into calls for one method of one client."""

    def __init__(self, method: ClientMethod[T], account: str = "") -> None:
        check_type("account", account, str)
        owner = getattr(method, "__self__", None)
        name = getattr(method, "__name__", "")
        client = owner if isinstance(owner, Client) else getattr(owner, "_client", None)
        if not isinstance(client, Client):
            raise ConfigurationError(
                f"invalid method {getattr(method, '__qualname__', method)!r}: expected a method of "
                "a client, such as lix.people.get"
            )
        self.name = name
        self.engine: Engine = client.engine
        self.client: Client = client
        self.balance_endpoints = type(client).balance_endpoints
        self._account = account
        own = urlsplit(self.engine.provider.base_url).hostname
        self._origin = "" if urlsplit(client.origin).hostname == own else client.origin
        view = client.with_engine(RecordingEngine(client.engine))
        make = cast("Callable[[Client], object]", type(owner))  # resources take their client
        self._method = cast(
            "Callable[..., object]", getattr(view if owner is client else make(view), name)
        )
        self._templates: dict[str, _KeyTemplate | None] = {}

    def call(self, given: Input) -> PreparedCall:
        """The call for an input.

        Raises:
            ConfigurationError: If the input cannot be sent, or the method does not send one call;
                its `family` is `"input"`.
        """
        try:
            input_json(given)
            return self._call(given)
        # Nothing is sent here: whatever a method raises, it is about this input.
        except ConfigurationError as error:
            failure = error
        except LixError:
            raise
        except TypeError as error:
            failure = ConfigurationError(f"{self.name}: {error}")
        except Exception as error:  # noqa: BLE001
            problem = f"the input cannot be used ({type(error).__name__})"
            failure = ConfigurationError(f"{self.name}: {problem}")
        failure.family = "input"
        raise failure

    def _call(self, given: Input) -> PreparedCall:
        arguments = _arguments(given)
        call = recorded_call(
            self._method(given) if arguments is None else self._method(**arguments)
        )
        if call is None:
            raise ConfigurationError(
                f"{self.name} does not send exactly one call: it cannot be used in a bulk run"
            )
        if call.pages is None:
            return self.prepare(call.endpoint, call.params)
        pages = call.pages
        if pages.max_credits is not None or pages.resumed or pages.prefetch:
            raise ConfigurationError(
                "max_credits, resume and prefetch cannot be set for an input of a bulk run: the "
                "run has its own budget and resumes listings itself"
            )
        return self.prepare(call.endpoint, call.params, pages.max_items)

    def prepare(
        self, row: AnyEndpoint, params: Params, max_items: int | None = None
    ) -> PreparedCall:
        """The call of an endpoint with these parameters, checked and with the client's defaults."""
        params = self.engine.prepare_params(row, params)
        text = self._text(row, params)
        request = self.engine.request_for(row, params)
        if max_items is not None:  # the beginning of a listing is another lookup than all of it
            text += b" %d" % max_items
        return PreparedCall(row, params, _fingerprint(text), request, max_items)

    def call_key(self, given: Input) -> CallKey:
        """Key and endpoint of the call for an input; fast for a link in its usual form.

        A continued run reads millions of keys from the ledger and makes few calls.

        Raises:
            ConfigurationError: If the input cannot be sent.
        """
        kind, name = (isinstance(given, str) and plain(given)) or ("unknown", "")
        if (template := self._templates.get(kind)) is not None and name.isascii():
            text = f"{template.before}{kind} {name}{template.after}"
            return CallKey(_fingerprint(text.encode()), template.row)
        call = self.call(given)
        if kind not in self._templates:
            self._templates[kind] = self._template(call, f"{kind} {name}") if name else None
        return CallKey(call.key, call.row, call)

    def _template(self, call: PreparedCall, identity: str) -> _KeyTemplate | None:
        parts = self._text(call.row, call.params).decode().split(f'"{identity}"')
        if len(parts) != 2:  # the method makes something else of its input
            return None
        return _KeyTemplate(parts[0] + '"', '"' + parts[1], call.row)

    async def rekey(self, store: Store, found: Iterable[tuple[Input, CallKey]]) -> None:
        """Give lookups of a ledger that older versions wrote the keys of today, where it has them.

        Only the client and the account can tell what an input of then would send, so a migration
        cannot do it for all. A row is used where its own input leads to the same key: the old rule
        gave one key to some calls that differ.
        """
        if not store.has_old_keys:
            return
        given_by_key = {one.key: (given, one) for given, one in found}
        known = await store.find(list(given_by_key))
        new_keys: dict[bytes, bytes] = {}
        for key in given_by_key.keys() - known.keys():
            given, one = given_by_key[key]
            call = one.call or self.call(given)
            identity = self.engine.provider.name, self._account, call.row.id
            for text in old_texts(*identity, call.params, call.max_items):
                new_keys[_fingerprint(text)] = key
        rows = await store.find(list(new_keys))
        await store.rekey(
            {old: new_keys[old] for old, row in rows.items() if self._leads_to(row, new_keys[old])}
        )

    def _leads_to(self, row: StoredLookup, key: bytes) -> bool:
        try:
            return self.call_key(msgspec.json.decode(row.written_as)).key == key
        except ConfigurationError:
            return False

    def _text(self, row: AnyEndpoint, params: Params) -> bytes:
        """(Rule, provider, server, account, endpoint, params): a key is the fingerprint of it."""
        forms = canonical_forms(type(params))
        fields: dict[str, object] = {}
        for name in params.__struct_fields__:
            value: object = getattr(params, name)
            if value is None or name == "sequence_id":
                continue
            form = forms.get(name)
            fields[name] = form.of(value) if form and isinstance(value, str) else value
        provider = self.engine.provider.name
        identity = [RULE, provider, self._origin, self._account, row.id, fields]
        return msgspec.json.encode(identity, order="deterministic")


def _fingerprint(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).digest()


def input_json(given: Input) -> bytes:
    """An input as JSON, as a ledger keeps it for people.

    Raises:
        ConfigurationError: It cannot be written as JSON.
    """
    return encoded_json("the input", given, _arguments)


def _arguments(given: object) -> dict[str, object] | None:
    """The keyword arguments in an input: a mapping, or a row of a database; else None."""
    if isinstance(given, str | int):
        return None
    if isinstance(given, Mapping) or callable(getattr(given, "keys", None)):
        return dict(cast("Mapping[str, object]", given))
    return None
