"""The sandbox itself: one request in, one reply out, and the books that are kept of it.

In this order: key, route, rate, daily allowance, params, faults, viewer, credits, answer, charge.
What differs from provider to provider is its `House`.
Nothing in here waits; a reply says how long to wait before it is sent.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from ..answers.context import AnswerBody, AnswerContext, Envelope
from ..faults import page_faults, response_faults
from ..faults.schedule import Fault, FaultPlan, Faults, parse_fault
from ..protocol.authentication import KeyAuthenticator
from ..protocol.errors import (
    ErrorReply,
    daily_limit,
    method_not_allowed,
    params_invalid,
    rate_limit,
    unknown_route,
    viewer_invalid,
)
from ..protocol.params import RequestParams
from ..protocol.parsing import read_params
from ..protocol.requests import AnyEndpoint, IncomingRequest, RequestRecord, input_text
from ..protocol.responses import SandboxResponse, json_response
from ..providers import RequestOutcome, SandboxProvider, providers
from ..state.background_lookups import BackgroundLookups
from ..state.credit_ledger import Charge, CreditLedger
from ..state.rate_limits import Allowance, Rate, RateLimits, RateLimitStatus
from ..state.state import SandboxState, SentItem
from ..state.webhooks import Webhook, WebhookDelivery
from ..world.random import number
from ..world.world import World
from .admin import PAGES
from .extras import missing_extra

if TYPE_CHECKING:
    from starlette.applications import Starlette

MAX_RECORDS = 100_000
"""Requests whose facts are kept at most; then the older half goes. The ledger drops nothing."""


class Sandbox:
    """The providers, played locally, with an invented world, own limits, credits and faults.

    It takes any key but `wrong` and `bad-key`, and answers callers on this machine only. The same
    seed, settings and sequence of requests give the same answers, byte for byte.

    * `seed`, `people`, `organisations`: the world, see `World`.
    * `rate`: requests and seconds of Lix; `(1, 3.0)` is its default plan. The other providers
      keep their own, unless a mapping by provider's name says otherwise; None is no limit at all.
    * `daily_allowance`: requests a day, 10,000 by default.
    * `credits`: what the account holds by kind; 50,000 standard, 10,000 org and 10,000 email by
      default. A kind that is left out holds none.
    * `envelope`: how searches wrap their items: `flat` (default, today's), `seed` or `response`.
    * `page_sizes`: rows on a page by endpoint id, where not the documented number.
    * `faults`: a `Faults`, a preset's name such as `weather`, an exact plan, or None for none.
    * `keys`: the keys that are accepted; None accepts any.
    * `closed`: paths of the table that answer `unknown_route`, to try out alternates.
    * `lookups`: how LookC's lookups go on in the background, see `Lookups`.
    * `webhook`: a URL of this machine, or a `Webhook`: where finished lookups are posted to.
    * `clock`, `wall`, `sleep`: seconds of any monotonic clock, seconds since the epoch, and a wait;
      the real ones by default.
    """

    def __init__(
        self,
        seed: int = 1,
        people: int = 2000,
        organisations: int = 200,
        *,
        rate: Rate | Mapping[str, Rate | None] | None = (1, 3.0),
        daily_allowance: int = 10_000,
        credits: Mapping[str, int] | None = None,  # the public name of the setting
        envelope: Envelope = "flat",
        page_sizes: Mapping[str, int] | None = None,
        faults: Faults | FaultPlan | str | None = None,
        keys: Collection[str] | None = None,
        closed: Collection[str] = (),
        background_lookups: BackgroundLookups | None = None,
        webhook: Webhook | str | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self.world = World(seed, people, organisations)
        self.ledger = CreditLedger(credits)
        self.allowance = Allowance(daily_allowance)
        self.faults = Faults.of(faults, seed)
        self.state = SandboxState()
        self.requests: list[RequestRecord] = []
        self.deliveries: list[WebhookDelivery] = []
        self.providers = providers()
        self._rate_limits = RateLimits({one.name: one.rate for one in self.providers}, rate)
        self.background_lookups = background_lookups or BackgroundLookups()
        self.webhook = Webhook.of(webhook)
        if self.webhook and self.background_lookups.seconds is None:
            self.background_lookups = replace(self.background_lookups, seconds=2.0)
        self.envelope: Envelope = envelope
        self._page_sizes = dict(page_sizes or {})
        self._authenticator = KeyAuthenticator(keys)
        self._clock = clock
        self._wall = wall
        self._count = 0
        self.closed = frozenset(closed)
        self.sleep = sleep

    @cached_property
    def app(self) -> Starlette:
        """The sandbox as an ASGI application; needs the extra `lix_async[sandbox]`."""
        try:
            from .asgi import application

            return application(self, {path: page(self) for path, page in PAGES.items()})
        except ModuleNotFoundError as error:
            raise missing_extra(error) from error

    @property
    def sent(self) -> list[SentItem]:
        """Everything that was sent: invitations, messages, InMails, in order."""
        return self.state.sent

    def reset(self) -> None:
        """Back to the first moment: full balances, nothing sent or asked, the first fault next."""
        self.state = SandboxState()
        self.ledger.reset()
        self.allowance.reset()
        self.faults.reset()
        self.requests.clear()
        self.deliveries.clear()
        self._authenticator.reset()
        self._rate_limits.reset()
        self._count = 0

    def handle(self, request: IncomingRequest) -> SandboxResponse:
        """Answer one request."""
        self._count += 1
        fact = RequestRecord(self._count, self._clock(), request.method, request.path)
        self.requests.append(fact)
        if len(self.requests) > MAX_RECORDS:
            del self.requests[: MAX_RECORDS // 2]
        row, asked = request.endpoint, None
        named = (one for one in self.providers if one.name == request.provider)
        provider = next(named, self.providers[0])
        try:
            row, asked = self._admit(provider, request, fact)
            answer = self._respond(provider, row, asked, fact, request)
        except ErrorReply as refusal:
            fact.kind = refusal.error_type
            answer = provider.render_error(refusal)
        epoch = self._wall()
        limits = provider.limits(row, asked) if row is not None and asked is not None else ()
        standing = self._rate_limits.status(provider.name, fact.caller, limits, fact.at, epoch)
        outcome = RequestOutcome(answer.status, row, asked, standing, self.state, epoch)
        answer.headers = {**provider.headers(outcome), **answer.headers}
        fact.status = 0 if answer.disconnect == "reset" else answer.status
        return answer

    async def notify_webhook(self) -> None:
        """Post what is due to the webhook: the lookups that were done since the last time."""
        for lookup in self.state.background_lookups.take_finished(self._clock()):
            if self.webhook and not lookup.fails:
                self.deliveries += await self.webhook.deliver(lookup.result)

    def _admit(
        self, provider: SandboxProvider, arrival: IncomingRequest, fact: RequestRecord
    ) -> tuple[AnyEndpoint, RequestParams]:
        ways = provider.provider.credentials.values()
        fact.caller = self._authenticator.caller(ways, arrival.headers, arrival.query)
        row, epoch = arrival.endpoint, self._wall()
        if row is None:
            raise method_not_allowed(arrival.allowed) if arrival.allowed else unknown_route()
        fact.endpoint = row.id
        exceeded = self._rate_limits.admit(provider.name, fact.caller, fact.at, epoch)
        _check_rate(provider, exceeded, epoch)
        if provider.counts_daily(row.id) and not self.allowance.spend(epoch):
            raise daily_limit(epoch)
        return row, read_params(row, arrival, {way.name for way in ways if way.place == "query"})

    def _respond(
        self,
        provider: SandboxProvider,
        row: AnyEndpoint,
        asked: RequestParams,
        fact: RequestRecord,
        arrival: IncomingRequest,
    ) -> SandboxResponse:
        epoch = self._wall()
        limits = provider.limits(row, asked)
        exceeded = self._rate_limits.admit_each(provider.name, limits, fact.at, epoch)
        _check_rate(provider, exceeded, epoch)
        fact.input = input_text(asked)
        fault = self._next_fault(row, arrival, fact)
        fact.fault = fault.name if fault else None
        if fault and fault.kind.stage == "refusal":
            return response_faults.refusal_response(fault, epoch, provider.render_error)
        if fault and fault.kind.stage == "queued":
            return response_faults.queued_response(fault, provider.render_error)
        if fault and fault.kind.stage == "before":
            return response_faults.broken_connection()
        said = self._run_answer(provider, row, asked, fact, arrival)
        body = said.body
        if fault and fault.kind.stage == "page":
            body = self._apply_page_fault(fault, row, body, fact.number)
        if page_faults.is_page(body):
            self.state.last_pages[row.id] = body
        if fault and fault.kind.stage == "after":
            return response_faults.apply_to_response(fault, msgspec.json.encode(body), said.status)
        return json_response(body, said.status, dict(said.headers))

    def _next_fault(
        self, row: AnyEndpoint, arrival: IncomingRequest, fact: RequestRecord
    ) -> Fault | None:
        name = (row.id, fact.input or "")
        if (left := self.state.queued_faults.get(name)) is not None:
            if left:
                return left.pop()
            del self.state.queued_faults[name]
            return None
        if (text := arrival.headers.get("x-sandbox-fault")) is not None:
            try:
                fault = parse_fault(text)
            except ValueError as error:
                raise params_invalid(f"X-Sandbox-Fault: {error}") from None
        else:
            fault = self.faults.draw(row.id)
        if fault and fault.kind.stage == "queued":
            self.state.queued_faults[name] = [fault] * (int(fault.number("polls", 2)) - 1)
        return fault

    def _run_answer(
        self,
        provider: SandboxProvider,
        row: AnyEndpoint,
        asked: RequestParams,
        fact: RequestRecord,
        arrival: IncomingRequest,
    ) -> AnswerBody:
        viewer = asked.text("viewer_id")
        if (
            viewer
            and viewer not in self.state.attached_viewers
            and not self.world.is_attached(viewer)
        ):
            raise viewer_invalid()
        price = row.credits
        self.ledger.check_balance(price.kind, price.amount)
        if provider.needs_credit(row.id):
            self.ledger.check_any_balance()
        context = AnswerContext(
            endpoint_id=row.id,
            seed=self.world.seed,
            request=fact.number,
            epoch=self._wall(),
            state=self.state,
            ledger=self.ledger,
            allowance=self.allowance,
            envelope=self.envelope,
            page_sizes=self._page_sizes,
            now=fact.at,
            origin=f"http://{arrival.headers.get('host', '127.0.0.1')}",
            background_lookups=self.background_lookups,
        )
        answer = provider.answers[row.id](self.world, asked, context)
        said = answer if isinstance(answer, AnswerBody) else AnswerBody(answer)
        if provider.is_charged(row.id, said.body):
            before = len(self.ledger)
            self.ledger.charge(
                Charge(row.id, fact.input or "", price.kind, price.amount, fact.at, fact.number)
            )
            fact.charged = price.amount if len(self.ledger) > before else 0
        return said

    def _apply_page_fault(
        self, fault: Fault, row: AnyEndpoint, body: object, request: int
    ) -> object:
        old = page_faults.sequence_id_of(body)
        new = f"SBX{number(self.world.seed, 'changed sequence', request):016X}"
        if fault.name == "changed_sequence" and old is not None:
            self.state.replaced_sequences[new] = old
        return page_faults.apply_to_page(fault.name, body, self.state.last_pages.get(row.id), new)


def _check_rate(provider: SandboxProvider, exceeded: RateLimitStatus | None, epoch: float) -> None:
    if exceeded is not None:
        refusal = rate_limit()
        refusal.headers |= provider.rate_limit_headers(exceeded, epoch)
        raise refusal
