"""The sandbox itself: one request in, one reply out, and the books that are kept of it.

In this order: key, route, rate, daily allowance, params, faults, viewer, credits, answer, charge.
Nothing in here waits; a reply says how long to wait before it is sent.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from ..core import wire
from ..core.errors import ConfigurationError
from . import mischief, spoil
from .answers.context import Asked, Context, Envelope
from .answers.lix import ANSWERS, charged, needs_credit
from .arrivals import Arrival, Fact, Row, input_text
from .dice import number
from .faults import Fault, Faults, Plan, parse
from .gate import Gate
from .ledger import Charge, Ledger
from .limits import Allowance, SlidingLog
from .memory import Memory, Sent
from .refusals import (
    Refusal,
    params_invalid,
    rate_limit,
    unknown_route,
    viewer_invalid,
)
from .replies import JSON, Reply, json_reply, refused
from .world import World

if TYPE_CHECKING:
    from starlette.applications import Starlette

KEPT = 100_000
"""Requests whose facts are kept at most; then the older half goes. The ledger drops nothing."""


def missing_extra(error: ModuleNotFoundError) -> Exception:
    """What to raise where the web server's packages are not installed."""
    if (error.name or "").startswith("lix_async"):
        return error
    return ConfigurationError(
        f"the sandbox's web server needs {error.name}: pip install lix_async[sandbox]"
    )


class Sandbox:
    """A local provider with an invented world, its own limits, credits and faults.

    It takes any key but `wrong` and `bad-key`, and answers callers on this machine only. The same
    seed, settings and sequence of requests give the same answers, byte for byte.

    * `seed`, `people`, `organisations`: the world, see `World`.
    * `rate`: requests and seconds; `(1, 3.0)` is the provider's default plan, None is no limit.
    * `daily_allowance`: requests a day, 10,000 by default.
    * `credits`: what the account holds by kind; 50,000 standard, 10,000 org and 10,000 email by
      default. A kind that is left out holds none.
    * `envelope`: how searches wrap their items: `flat` (default, today's), `seed` or `response`.
    * `page_sizes`: rows on a page by endpoint id, where not the documented number.
    * `faults`: a `Faults`, a preset's name such as `weather`, an exact plan, or None for none.
    * `keys`: the keys that are accepted; None accepts any.
    * `closed`: paths of the table that answer `unknown_route`, to try out alternates.
    * `clock`, `wall`, `sleep`: seconds of any monotonic clock, seconds since the epoch, and a wait;
      the real ones by default.
    """

    def __init__(
        self,
        seed: int = 1,
        people: int = 2000,
        organisations: int = 200,
        *,
        rate: tuple[int, float] | None = (1, 3.0),
        daily_allowance: int = 10_000,
        credits: Mapping[str, int] | None = None,  # the public name of the setting
        envelope: Envelope = "flat",
        page_sizes: Mapping[str, int] | None = None,
        faults: Faults | Plan | str | None = None,
        keys: Collection[str] | None = None,
        closed: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self.world = World(seed, people, organisations)
        self.ledger = Ledger(credits)
        self.allowance = Allowance(daily_allowance)
        self.faults = Faults.of(faults, seed)
        self.memory = Memory()
        self.requests: list[Fact] = []
        self.rate = rate
        self.envelope: Envelope = envelope
        self._page_sizes = dict(page_sizes or {})
        self._gate = Gate(keys)
        self._clock = clock
        self._wall = wall
        self._limits: dict[str, SlidingLog] = {}
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
    def sent(self) -> list[Sent]:
        """Everything that was sent: invitations, messages, InMails, in order."""
        return self.memory.sent

    def reset(self) -> None:
        """Back to the first moment: full balances, nothing sent or asked, the first fault next."""
        self.memory = Memory()
        self.ledger.reset()
        self.allowance.reset()
        self.faults.reset()
        self.requests.clear()
        self._gate.reset()
        self._limits.clear()
        self._count = 0

    def handle(self, arrival: Arrival) -> Reply:
        """Answer one request."""
        self._count += 1
        fact = Fact(self._count, self._clock(), arrival.method, arrival.path)
        self.requests.append(fact)
        if len(self.requests) > KEPT:
            del self.requests[: KEPT // 2]
        try:
            answer = self._answer(arrival, fact)
        except Refusal as refusal:
            fact.kind = refusal.kind
            answer = refused(refusal)
        fact.status = 0 if answer.cut == "reset" else answer.status
        return answer

    def _answer(self, arrival: Arrival, fact: Fact) -> Reply:
        fact.caller = self._gate.caller(arrival.headers, arrival.query)
        row, epoch = arrival.row, self._wall()
        if row is None:
            raise unknown_route()
        fact.endpoint = row.id
        self._admit(fact)
        if not row.id.startswith("account.") and not self.allowance.spend(epoch):
            fact.kind = "daily_limit"
            return spoil.daily_limit(epoch)
        asked = self._read(row, arrival)
        fact.input = input_text(asked)
        fault = self._fault(row, arrival, fact)
        fact.fault = fault.name if fault else None
        if fault and fault.kind.stage == "refusal":
            return spoil.refuse(fault, epoch)
        if fault and fault.kind.stage == "queued":
            return spoil.queued(fault)
        if fault and fault.kind.stage == "before":
            return spoil.lost()
        body = self._work(row, asked, fact, epoch)
        if fault and fault.kind.stage == "page":
            body = self._play(fault, row, body, fact.number)
        if mischief.is_page(body):
            self.memory.pages[row.id] = body
        if fault and fault.kind.stage == "after":
            return spoil.spoil(fault, msgspec.json.encode(body))
        return json_reply(body)

    def _admit(self, fact: Fact) -> None:
        if self.rate is None:
            return
        log = self._limits.setdefault(fact.caller, SlidingLog(*self.rate))
        if not log.admit(fact.at):
            raise rate_limit()

    def _read(self, row: Row, arrival: Arrival) -> Asked:
        if row.body and arrival.body:
            wanted = "application/x-www-form-urlencoded" if row.form else JSON
            if arrival.headers.get("content-type", "").split(";")[0].strip().lower() != wanted:
                raise params_invalid(f"the Content-Type of the body must be {wanted}")
        query = [pair for pair in arrival.query if pair[0] != "api_key"]
        try:
            params = wire.read(row, arrival.path_params, query, arrival.body)
        except ConfigurationError as error:
            raise params_invalid(str(error)) from None
        asked = Asked.of(params)
        # The struct makes a sequence id where the caller sent none; here only the caller's counts.
        if asked.text("sequence_id") not in arrival.sequences(row):
            asked = Asked.of(params, without=("sequence_id",))
        return asked

    def _fault(self, row: Row, arrival: Arrival, fact: Fact) -> Fault | None:
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

    def _work(self, row: Row, asked: Asked, fact: Fact, epoch: float) -> object:
        viewer = asked.text("viewer_id")
        if viewer and viewer not in self.memory.attached and not self.world.attached(viewer):
            raise viewer_invalid()
        price = row.credits
        self.ledger.cover(price.kind, price.amount)
        if needs_credit(row.id):
            self.ledger.cover_anything()
        context = Context(
            endpoint=row.id,
            seed=self.world.seed,
            request=fact.number,
            epoch=epoch,
            memory=self.memory,
            ledger=self.ledger,
            allowance=self.allowance,
            envelope=self.envelope,
            page_sizes=self._page_sizes,
        )
        body = ANSWERS[row.id](self.world, asked, context)
        if charged(row.id, body):
            before = len(self.ledger)
            self.ledger.charge(
                Charge(row.id, fact.input or "", price.kind, price.amount, fact.at, fact.number)
            )
            fact.charged = price.amount if len(self.ledger) > before else 0
        return body

    def _play(self, fault: Fault, row: Row, body: object, request: int) -> object:
        old = mischief.sequence_of(body)
        new = f"SBX{number(self.world.seed, 'changed sequence', request):016X}"
        if fault.name == "changed_sequence" and old is not None:
            self.memory.sequences[new] = old
        return mischief.play(fault.name, body, self.memory.pages.get(row.id), new)
