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

from ...core.endpoint import AnyEndpoint
from ..answers.context import AnswerBody, AnswerContext, Envelope
from ..faults import page_faults, response_faults
from ..faults.schedule import Fault, Faults, Plan, parse
from ..protocol.authentication import KeyAuthenticator
from ..protocol.errors import (
    ErrorReply,
    params_invalid,
    unknown_route,
    viewer_invalid,
    wrong_method,
)
from ..protocol.params import RequestParams
from ..protocol.parsing import read
from ..protocol.requests import IncomingRequest, RequestRecord, input_text
from ..protocol.responses import SandboxResponse, json_reply
from ..providers import RequestOutcome, SandboxProvider, houses
from ..providers.base import Rate
from ..state.background_lookups import BackgroundLookups
from ..state.credit_ledger import Charge, CreditLedger
from ..state.rate_limits import Allowance, RateLimits
from ..state.state import SandboxState, SentItem
from ..state.webhooks import Webhook, WebhookDelivery
from ..world.random import number
from ..world.world import World
from .extras import missing_extra

if TYPE_CHECKING:
    from starlette.applications import Starlette

KEPT = 100_000
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
        faults: Faults | Plan | str | None = None,
        keys: Collection[str] | None = None,
        closed: Collection[str] = (),
        lookups: BackgroundLookups | None = None,
        webhook: Webhook | str | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self.world = World(seed, people, organisations)
        self.ledger = CreditLedger(credits)
        self.allowance = Allowance(daily_allowance)
        self.faults = Faults.of(faults, seed)
        self.memory = SandboxState()
        self.requests: list[RequestRecord] = []
        self.deliveries: list[WebhookDelivery] = []
        self.houses = houses()
        self._paces = RateLimits(self.houses, rate)
        self.lookups = lookups or BackgroundLookups()
        self.webhook = Webhook.of(webhook)
        if self.webhook and self.lookups.seconds is None:
            self.lookups = replace(self.lookups, seconds=2.0)
        self.envelope: Envelope = envelope
        self._page_sizes = dict(page_sizes or {})
        self._gate = KeyAuthenticator(keys)
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
        except ModuleNotFoundError as error:
            raise missing_extra(error) from error
        return application(self)

    @property
    def sent(self) -> list[SentItem]:
        """Everything that was sent: invitations, messages, InMails, in order."""
        return self.memory.sent

    def reset(self) -> None:
        """Back to the first moment: full balances, nothing sent or asked, the first fault next."""
        self.memory = SandboxState()
        self.ledger.reset()
        self.allowance.reset()
        self.faults.reset()
        self.requests.clear()
        self.deliveries.clear()
        self._gate.reset()
        self._paces.reset()
        self._count = 0

    def handle(self, arrival: IncomingRequest) -> SandboxResponse:
        """Answer one request."""
        self._count += 1
        fact = RequestRecord(self._count, self._clock(), arrival.method, arrival.path)
        self.requests.append(fact)
        if len(self.requests) > KEPT:
            del self.requests[: KEPT // 2]
        house, row, asked = arrival.house or self.houses[0], arrival.row, None
        try:
            row, asked = self._enter(house, arrival, fact)
            answer = self._answer(house, row, asked, fact, arrival)
        except ErrorReply as refusal:
            fact.kind = refusal.kind
            answer = house.refuse(refusal)
        epoch = self._wall()
        standing = self._paces.standing(house, fact.caller, row, asked, fact.at, epoch)
        outcome = RequestOutcome(answer.status, row, asked, standing, self.memory, epoch)
        answer.headers = {**house.headers(outcome), **answer.headers}
        fact.status = 0 if answer.cut == "reset" else answer.status
        return answer

    async def tell(self) -> None:
        """Post what is due to the webhook: the lookups that were done since the last time."""
        for lookup in self.memory.desk.news(self._clock()):
            if self.webhook and not lookup.fails:
                self.deliveries += await self.webhook.tell(lookup.result)

    def _enter(
        self, house: SandboxProvider, arrival: IncomingRequest, fact: RequestRecord
    ) -> tuple[AnyEndpoint, RequestParams]:
        ways = house.provider.credentials.values()
        fact.caller = self._gate.caller(ways, arrival.headers, arrival.query)
        row, epoch = arrival.row, self._wall()
        if row is None:
            raise wrong_method(arrival.allowed) if arrival.allowed else unknown_route()
        fact.endpoint = row.id
        self._paces.admit(house, fact.caller, fact.at, epoch)
        if house.daily(row.id) and not self.allowance.spend(epoch):
            raise response_faults.daily_limit(epoch)
        return row, read(row, arrival, {way.name for way in ways if way.place == "query"})

    def _answer(
        self,
        house: SandboxProvider,
        row: AnyEndpoint,
        asked: RequestParams,
        fact: RequestRecord,
        arrival: IncomingRequest,
    ) -> SandboxResponse:
        epoch = self._wall()
        self._paces.admit_group(house, row, asked, fact.at, epoch)
        fact.input = input_text(asked)
        fault = self._fault(row, arrival, fact)
        fact.fault = fault.name if fault else None
        if fault and fault.kind.stage == "refusal":
            return response_faults.refuse(fault, epoch, house.refuse)
        if fault and fault.kind.stage == "queued":
            return response_faults.queued(fault, house.refuse)
        if fault and fault.kind.stage == "before":
            return response_faults.lost()
        said = self._work(house, row, asked, fact, arrival)
        body = said.body
        if fault and fault.kind.stage == "page":
            body = self._play(fault, row, body, fact.number)
        if page_faults.is_page(body):
            self.memory.pages[row.id] = body
        if fault and fault.kind.stage == "after":
            return response_faults.spoil(fault, msgspec.json.encode(body), said.status)
        return json_reply(body, said.status, dict(said.headers))

    def _fault(
        self, row: AnyEndpoint, arrival: IncomingRequest, fact: RequestRecord
    ) -> Fault | None:
        name = (row.id, fact.input or "")
        if (left := self.memory.queued.get(name)) is not None:
            if left:
                return left.pop()
            del self.memory.queued[name]
            return None
        if (text := arrival.headers.get("x-sandbox-fault")) is not None:
            try:
                fault = parse(text)
            except ValueError as error:
                raise params_invalid(f"X-Sandbox-Fault: {error}") from None
        else:
            fault = self.faults.draw(row.id)
        if fault and fault.kind.stage == "queued":
            self.memory.queued[name] = [fault] * (int(fault.number("polls", 2)) - 1)
        return fault

    def _work(
        self,
        house: SandboxProvider,
        row: AnyEndpoint,
        asked: RequestParams,
        fact: RequestRecord,
        arrival: IncomingRequest,
    ) -> AnswerBody:
        viewer = asked.text("viewer_id")
        if viewer and viewer not in self.memory.attached and not self.world.attached(viewer):
            raise viewer_invalid()
        price = row.credits
        self.ledger.cover(price.kind, price.amount)
        if house.needs_credit(row.id):
            self.ledger.cover_anything()
        context = AnswerContext(
            endpoint=row.id,
            seed=self.world.seed,
            request=fact.number,
            epoch=self._wall(),
            memory=self.memory,
            ledger=self.ledger,
            allowance=self.allowance,
            envelope=self.envelope,
            page_sizes=self._page_sizes,
            now=fact.at,
            origin=f"http://{arrival.headers.get('host', '127.0.0.1')}",
            lookups=self.lookups,
        )
        answer = house.answers[row.id](self.world, asked, context)
        said = answer if isinstance(answer, AnswerBody) else AnswerBody(answer)
        if house.charged(row.id, said.body):
            before = len(self.ledger)
            self.ledger.charge(
                Charge(row.id, fact.input or "", price.kind, price.amount, fact.at, fact.number)
            )
            fact.charged = price.amount if len(self.ledger) > before else 0
        return said

    def _play(self, fault: Fault, row: AnyEndpoint, body: object, request: int) -> object:
        old = page_faults.sequence_of(body)
        new = f"SBX{number(self.world.seed, 'changed sequence', request):016X}"
        if fault.name == "changed_sequence" and old is not None:
            self.memory.sequences[new] = old
        return page_faults.play(fault.name, body, self.memory.pages.get(row.id), new)
