"""What a method of a client would send for an input, without sending it.

A run takes methods such as `lix.people.get`. The method is called on a view of its client with a
`RecordingEngine`, so every method of every provider can be used, and its own checks are made before
anything is paid.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple, TypeVar, cast

import msgspec

from ..core.endpoint import AnyEndpoint
from ..core.errors import ConfigurationError, LixError
from ..core.models import Params
from ..core.validation import check_type
from ..engine.call_key import (
    Input,
    PreparedCall,
    arguments,
    input_json,
    is_member_urn,
    key_of,
    key_text,
    member_page,
    prepared_call,
    server_of,
)
from ..engine.client import Client
from ..engine.engine import Engine
from ..engine.old_keys import learn_answers, rekey
from ..engine.pages import Pages
from ..engine.recording import RecordingEngine, recorded_call
from ..ledger.reconciliation import account_of
from ..ledger.records import CallQuery, StoredLookup
from ..ledger.store import Store
from ..linkedin.links import plain
from ..linkedin.subject_ids import alias_key
from .row_input import AnyRow, On, check_on, input_of

T = TypeVar("T")
ClientMethod = Callable[..., Awaitable[T]] | Callable[..., Pages[T]]


class CallKey(NamedTuple):
    """What is needed to find a call in a ledger."""

    key: bytes
    row: AnyEndpoint
    call: PreparedCall | None = None
    """The call, if it was prepared to find its key."""
    asked: tuple[str, bytes] | None = None
    variant: bytes = b""

    @classmethod
    def of(cls, call: PreparedCall) -> CallKey:
        """Of a call that is prepared."""
        return cls(call.key, call.row, call, call.asked, call.variant)

    @property
    def query(self) -> CallQuery:
        """What finds it in a ledger."""
        return CallQuery(self.key, self.row.id, self.asked, self.variant)


class _KeyTemplate(NamedTuple):
    """The text of a key before and after the part in which inputs of a kind differ."""

    before: str
    after: str
    row: AnyEndpoint
    id_kind: str
    """The kind of the id that the call asks about; empty where it asks about none."""
    variant: bytes


class CallPreparer:
    """Turns inputs into calls for one method of one client."""

    def __init__(
        self, method: ClientMethod[T], account: str = "", on: On[AnyRow] | None = None
    ) -> None:
        check_type("account", account, str)
        check_on(on)
        owner = getattr(method, "__self__", None)
        name = getattr(method, "__name__", "")
        client = owner if isinstance(owner, Client) else getattr(owner, "_client", None)
        if not isinstance(client, Client):
            raise ConfigurationError(
                f"invalid method {getattr(method, '__qualname__', method)!r}: expected a method of "
                "an async client, such as lix.people.get of AsyncLix; clients without asyncio have "
                "lix.run"
            )
        self.name = name
        groups = (group for group, one in vars(client).items() if one is owner)
        path = ".".join((*groups, name))
        self.method = f"{client.engine.provider.name} {path}"
        """The provider and the method, such as `Lix people.get`, as ledger and events have them."""
        self.engine: Engine = client.engine
        self.client: Client = client
        self.balance_endpoints = type(client).balance_endpoints
        self._account = account
        self._origin = server_of(self.engine.provider, client.origin)
        self.account = account_of(account, self._origin)
        """The account that pays, as the ledger writes it."""
        view = client.with_engine(RecordingEngine(client.engine))
        make = cast("Callable[[Client], object]", type(owner))  # resources take their client
        self._method = cast(
            "Callable[..., object]", getattr(view if owner is client else make(view), name)
        )
        self._on = cast("On[object] | None", on)
        self._templates: dict[str, _KeyTemplate | None] = {}
        self._has_learned = False

    def input_of(self, row: object) -> Input:
        """The part of a row that the method takes; without `on`, the row itself.

        Raises:
            ConfigurationError: If there is nothing that can be sent; its `family` is `"input"`.
        """
        return cast("Input", row) if self._on is None else input_of(row, self._on)

    def call(self, given: Input, known: CallKey | None = None) -> PreparedCall:
        """The call for an input.

        Args:
            given: The input.
            known: Its key, where that is known already.

        Raises:
            ConfigurationError: If the input cannot be sent, or the method does not send one call;
                its `family` is `"input"`.
        """
        try:
            input_json(given)
            row, params, max_items = self._parts(given)
            return self.prepare(row, params, max_items, known)
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

    def _parts(self, given: Input) -> tuple[AnyEndpoint, Params, int | None]:
        """The endpoint of a call, its parameters, and how many items of a listing are wanted."""
        named = arguments(given)
        call = recorded_call(self._method(given) if named is None else self._method(**named))
        if call is None:
            raise ConfigurationError(
                f"{self.name} does not send exactly one call: it cannot be used in a bulk run"
            )
        if call.pages is None:
            return call.endpoint, call.params, None
        pages = call.pages
        if pages.max_credits is not None or pages.resumed or pages.prefetch:
            raise ConfigurationError(
                "max_credits, resume and prefetch cannot be set for an input of a bulk run: the "
                "run has its own budget and resumes listings itself"
            )
        return call.endpoint, call.params, pages.max_items

    def prepare(
        self,
        row: AnyEndpoint,
        params: Params,
        max_items: int | None = None,
        known: CallKey | None = None,
    ) -> PreparedCall:
        """The call of an endpoint with these parameters, checked and with the client's defaults.

        Args:
            row: The endpoint.
            params: The parameters.
            max_items: How many items of a listing are wanted; None for all.
            known: Its key, where that is known already.
        """
        if known is not None:
            params = self.engine.prepare_params(row, params)
            request = self.engine.request_for(row, params)
            return PreparedCall(
                *(row, params, known.key, request, max_items, known.asked, known.variant)
            )
        return prepared_call(self.engine, self._origin, self._account, row, params, max_items)

    def call_key(self, given: Input) -> CallKey:
        """Key and endpoint of the call for an input; fast for a link in its usual form.

        A continued run reads millions of keys from the ledger and makes few calls.

        Raises:
            ConfigurationError: If the input cannot be sent.
        """
        kind, name = (isinstance(given, str) and plain(given)) or ("unknown", "")
        if (template := self._templates.get(kind)) is not None and name.isascii():
            text = f"{template.before}{kind} {name}{template.after}"
            asked = alias_key(template.id_kind, name) if template.id_kind else None
            return CallKey(key_of(text.encode()), template.row, None, asked, template.variant)
        call = self.call(given)
        if kind not in self._templates:
            self._templates[kind] = self._template(call, kind, name) if name else None
        return CallKey.of(call)

    async def member_call(self, store: Store, given: Input) -> PreparedCall | None:
        """The call for the URN of a member, which no page shows; None for any other input.

        Raises:
            ConfigurationError: No answer in the ledger connects it with an id that has a page.
        """
        if not (isinstance(given, str) and is_member_urn(given)):
            return None
        return self.call(await member_page(store, given))

    def _template(self, call: PreparedCall, kind: str, name: str) -> _KeyTemplate | None:
        parts = self._text(call.row, call.params).decode().split(f'"{kind} {name}"')
        id_kind = "" if call.asked is None else call.asked[0]
        # Else the method makes something else of its input.
        if len(parts) != 2 or (id_kind and alias_key(id_kind, name) != call.asked):
            return None
        return _KeyTemplate(parts[0] + '"', '"' + parts[1], call.row, id_kind, call.variant)

    async def rekey(self, store: Store, found: Iterable[tuple[Input, CallKey]]) -> None:
        """Give lookups of a ledger that older versions wrote the keys of today."""
        if store.has_unlearned and not self._has_learned:
            self._has_learned = True
            name = f"{self.engine.provider.name} {self.name} {self._account}"
            await learn_answers(store, name, type(self.client).endpoints, self._query)
        if not store.has_old_keys:
            return
        given_by_key = {one.key: (given, one) for given, one in found}
        known = await store.find(list(given_by_key))
        calls: dict[bytes, PreparedCall] = {}
        wanted = [k for k in given_by_key if k not in known or known[k].state.status != "done"]
        for key in wanted:
            given, one = given_by_key[key]
            calls[key] = one.call or self.call(given)
        await rekey(store, self.engine.provider.name, self._account, calls, self._leads_to)

    def _query(self, lookup: StoredLookup) -> CallQuery | None:
        """What the input of a lookup asks for; None where it makes no call of this method."""
        try:
            return self.call_key(msgspec.json.decode(lookup.written_as)).query
        except ConfigurationError:
            return None

    def _leads_to(self, lookup: StoredLookup, call: PreparedCall) -> bool:
        found = self._query(lookup)
        return found is not None and found.key == call.key

    def _text(self, row: AnyEndpoint, params: Params) -> bytes:
        return key_text(self.engine.provider.name, self._origin, self._account, row, params)
