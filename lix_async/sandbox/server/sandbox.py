"""The sandbox: one request in, one response out, and a record of every request.

A request passes these steps in order: API key, route, rate limit, daily allowance, parameters,
fault, viewer, credits, answer, charge. What differs between providers is in `SandboxProvider`.
Nothing here waits: a response says how long to wait before it is sent.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from ...core.endpoint import AnyEndpoint
from ...core.installed_providers import provider_of
from ...core.installed_providers import providers as installed_providers
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
from ..protocol.requests import IncomingRequest, RequestRecord, input_text
from ..protocol.responses import SandboxResponse, json_response
from ..providers import RequestOutcome, SandboxProvider, default_rate, providers
from ..state.background_lookups import BackgroundLookups
from ..state.credit_ledger import Charge, CreditLedger
from ..state.rate_limits import Allowance, Rate, RateLimits, RateLimitStatus
from ..state.state import SandboxState, SentItem
from ..state.webhooks import Webhook, WebhookDelivery
from ..world.random import number
from ..world.world import World

if TYPE_CHECKING:
    from .asgi import SandboxApp

MAX_RECORDS = 100_000
"""Request records kept at most; then the older half is deleted. Charges are never deleted."""


class Sandbox:
    """The providers, simulated locally with a sample world, rate limits, credits and faults.

    It accepts every API key except `wrong` and `bad-key`, and requests from this machine only. The
    same seed, settings and sequence of requests give the same responses, byte for byte.

    Args:
        seed: The seed of the world and of the faults.
        people: How many people a search can find.
        organisations: How many companies a search can find.
        rate: Requests and seconds of Lix; `(1, 3.0)` is its default plan. The other providers keep
            their default, unless a mapping by provider name has an entry. None switches all rate
            limits off.
        daily_allowance: Requests a day at Lix. None for no daily limit at any provider.
        credits: The credits by kind; a kind that is left out has none. None gives 50,000 standard,
            10,000 org and 10,000 email.
        envelope: How searches wrap their items: `flat` (as today), `seed` or `response`.
        page_sizes: Items on a page by catalogue id, instead of the documented number.
        faults: A `Faults`, the name of a preset such as `weather`, an exact plan, or None for none.
        keys: The accepted API keys. None accepts all.
        closed: Paths that answer `unknown_route`, to test alternate paths.
        background_lookups: How LookC's lookups continue in the background.
        webhook: A local URL, or a `Webhook`, that finished lookups are posted to.
        clock: Returns seconds on a monotonic clock.
        wall: Returns seconds since the epoch.
        sleep: Waits for a number of seconds. None uses `anyio.sleep`.

    Raises:
        ValueError: A size, rate, credit kind or fault is invalid.
        ConfigurationError: The webhook is invalid.
    """

    def __init__(
        self,
        seed: int = 1,
        people: int = 2000,
        organisations: int = 200,
        *,
        rate: Rate | Mapping[str, Rate | None] | None = (1, 3.0),
        daily_allowance: int | None = 10_000,
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
        known = map(provider_of, installed_providers())
        self._rate_limits = RateLimits({one.name: default_rate(one) for one in known}, rate)
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
        self._app: SandboxApp | None = None
        self._providers: tuple[SandboxProvider, ...] | None = None

    @property
    def providers(self) -> tuple[SandboxProvider, ...]:
        """The providers, which are loaded when one is asked for, or by `warm_up`."""
        if self._providers is None:
            self._providers = providers()
        return self._providers

    @providers.setter
    def providers(self, providers: tuple[SandboxProvider, ...]) -> None:
        self._providers = providers

    def warm_up(self) -> None:
        """Load what answers the first request, so that it does not take longer than others."""
        self.app.load()

    @property
    def app(self) -> SandboxApp:
        """The sandbox as an ASGI application."""
        if self._app is None:
            from .admin import admin_pages  # late, as the next: a world alone needs neither
            from .asgi import SandboxApp

            self._app = SandboxApp(self, admin_pages(self))
        return self._app

    @property
    def sent(self) -> list[SentItem]:
        """Everything that was sent: invitations, messages, InMails, in order."""
        return self.state.sent

    def advance(self, days: int) -> None:
        """Let days pass in the world: people change jobs, titles, places, names and slugs.

        `world.changes()` lists what changed. What counts by the day begins anew: the daily
        allowance, the quota and the cache of ConnectSafely. The clocks of requests go on as before.

        Args:
            days: Whole days. The world depends on their sum only, not on the steps.

        Raises:
            ValueError: `days` is below 0, or the world would be more than 100 years old.
        """
        self.world.advance(days)
        if days:
            self.allowance.reset()
            self.state.cached_profiles.clear()
            self.state.profiles_by_day.clear()

    def reset(self) -> None:
        """Return to the initial state: first day, full balances, nothing sent, first fault next."""
        if self.world.day:
            self.world.return_to(0)
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
        record = RequestRecord(self._count, self._clock(), request.method, request.path)
        self.requests.append(record)
        if len(self.requests) > MAX_RECORDS:
            del self.requests[: MAX_RECORDS // 2]
        named = (one for one in self.providers if one.name == request.provider)
        provider = next(named, self.providers[0])
        endpoint, params = request.endpoint, None
        try:
            endpoint, params = self._admit(provider, request, record)
            response = self._respond(provider, endpoint, params, record, request)
        except ErrorReply as error:
            record.kind = error.error_type
            response = provider.render_error(error)
        epoch = self._wall()
        limits = provider.limits(endpoint, params) if endpoint and params else ()
        status = self._rate_limits.status(provider.name, record.caller, limits, record.at, epoch)
        outcome = RequestOutcome(response.status, endpoint, params, status, self.state, epoch)
        response.headers = {**provider.headers(outcome), **response.headers}
        record.status = 0 if response.disconnect == "reset" else response.status
        return response

    async def notify_webhook(self) -> None:
        """Post the lookups that finished since the last call to the webhook."""
        for lookup in self.state.background_lookups.take_finished(self._clock()):
            if self.webhook and not lookup.fails:
                self.deliveries += await self.webhook.deliver(lookup.result)

    def _admit(
        self, provider: SandboxProvider, request: IncomingRequest, record: RequestRecord
    ) -> tuple[AnyEndpoint, RequestParams]:
        schemes = provider.auth_schemes.values()
        record.caller = self._authenticator.caller(schemes, request.headers, request.query)
        endpoint, epoch = request.endpoint, self._wall()
        if endpoint is None:
            raise method_not_allowed(request.allowed) if request.allowed else unknown_route()
        record.endpoint = endpoint.id
        exceeded = self._rate_limits.admit(provider.name, record.caller, record.at, epoch)
        _check_rate(provider, exceeded, epoch)
        if provider.counts_daily(endpoint.id) and not self.allowance.spend(epoch):
            raise daily_limit(epoch)
        key_names = {scheme.name for scheme in schemes if scheme.place == "query"}
        return endpoint, read_params(endpoint, request, key_names)

    def _respond(
        self,
        provider: SandboxProvider,
        endpoint: AnyEndpoint,
        params: RequestParams,
        record: RequestRecord,
        request: IncomingRequest,
    ) -> SandboxResponse:
        epoch, limits = self._wall(), provider.limits(endpoint, params)
        exceeded = self._rate_limits.admit_each(provider.name, limits, record.at, epoch)
        _check_rate(provider, exceeded, epoch)
        record.input = input_text(params)
        fault = self._next_fault(endpoint, request, record)
        record.fault = fault.name if fault else None
        stage = fault.kind.stage if fault else None
        if fault and stage == "refusal":
            return response_faults.refusal_response(fault, epoch, provider.render_error)
        if fault and stage == "queued":
            return response_faults.queued_response(fault, provider.render_error)
        if stage == "before":
            return response_faults.broken_connection()
        answer = self._run_answer(provider, endpoint, params, record, request)
        body = answer.body
        if fault and stage == "page":
            body = self._apply_page_fault(fault, endpoint, body, record.number)
        if page_faults.is_page(body):
            self.state.last_pages[endpoint.id] = body
        if fault and stage == "after":
            encoded = msgspec.json.encode(body)
            return response_faults.apply_to_response(fault, encoded, answer.status)
        return json_response(body, answer.status, dict(answer.headers))

    def _next_fault(
        self, endpoint: AnyEndpoint, request: IncomingRequest, record: RequestRecord
    ) -> Fault | None:
        lookup = (endpoint.id, record.input or "")
        if (queued := self.state.queued_faults.get(lookup)) is not None:
            if queued:
                return queued.pop()
            del self.state.queued_faults[lookup]
            return None
        if (text := request.headers.get("x-sandbox-fault")) is not None:
            try:
                fault = parse_fault(text)
            except ValueError as error:
                raise params_invalid(f"X-Sandbox-Fault: {error}") from None
        else:
            fault = self.faults.draw(endpoint.id)
        if fault and fault.kind.stage == "queued":
            self.state.queued_faults[lookup] = [fault] * (int(fault.number("polls", 2)) - 1)
        return fault

    def _run_answer(
        self,
        provider: SandboxProvider,
        endpoint: AnyEndpoint,
        params: RequestParams,
        record: RequestRecord,
        request: IncomingRequest,
    ) -> AnswerBody:
        viewer, attached = params.text("viewer_id"), self.state.attached_viewers
        if viewer and viewer not in attached and not self.world.is_attached(viewer):
            raise viewer_invalid()
        price = endpoint.credits
        self.ledger.check_balance(price.kind, price.amount)
        if provider.needs_credit(endpoint.id):
            self.ledger.check_any_balance()
        context = AnswerContext(
            endpoint_id=endpoint.id,
            seed=self.world.seed,
            request=record.number,
            epoch=self._wall(),
            state=self.state,
            ledger=self.ledger,
            allowance=self.allowance,
            envelope=self.envelope,
            page_sizes=self._page_sizes,
            now=record.at,
            origin=f"http://{request.headers.get('host', '127.0.0.1')}",
            background_lookups=self.background_lookups,
        )
        result = provider.answers[endpoint.id](self.world, params, context)
        answer = result if isinstance(result, AnswerBody) else AnswerBody(result)
        if provider.is_charged(endpoint.id, answer.body):
            text = record.input or ""
            charge = Charge(endpoint.id, text, price.kind, price.amount, record.at, record.number)
            record.charged = price.amount if self.ledger.charge(charge) else 0
        return answer

    def _apply_page_fault(
        self, fault: Fault, endpoint: AnyEndpoint, body: object, request: int
    ) -> object:
        old = page_faults.sequence_id_of(body)
        new = f"SBX{number(self.world.seed, 'changed sequence', request):016X}"
        if fault.name == "changed_sequence" and old is not None:
            self.state.replaced_sequences[new] = old
        previous = self.state.last_pages.get(endpoint.id)
        return page_faults.apply_to_page(fault.name, body, previous, new)


def _check_rate(provider: SandboxProvider, exceeded: RateLimitStatus | None, epoch: float) -> None:
    if exceeded is not None:
        error = rate_limit()
        error.headers |= provider.rate_limit_headers(exceeded, epoch)
        raise error
