"""A waterfall's steps for the tests: what they answer is a script, what they were asked is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from anyio.lowlevel import checkpoint
from msgspec import structs
from sample_provider import Skipping

from lix_async.core.endpoint import Price, standard
from lix_async.core.errors import LixError
from lix_async.core.wire import HttpResponse
from lix_async.waterfall import Step, StepResult, Target, Waterfall
from lix_async.waterfall.steps import LINK

SAMPLES = Path(__file__).parents[1] / "contract" / "samples"
AT = datetime(2025, 1, 6, 9, tzinfo=UTC)
ADA = "https://www.linkedin.com/in/ada"
ONE = standard(1)
Said = dict[str, str | None] | LixError | Exception | StepResult


def sample(name: str) -> HttpResponse:
    """A contract sample as an answer."""
    return HttpResponse(200, [], (SAMPLES / f"{name}.json").read_bytes())


def people(count: int) -> list[str]:
    """Profile links."""
    return [f"https://www.linkedin.com/in/person-{number}" for number in range(count)]


class Lookup:
    """One step's other side: gives its answers in order, the last one for ever."""

    def __init__(
        self,
        name: str,
        *answers: Said | Callable[[Target], Said],
        fills: Iterable[str] = (),
        price: Price = ONE,
        cost: int | None = None,
        **more: Any,
    ) -> None:
        self.answers = list(answers)
        self.cost = price.amount if cost is None else cost
        self.asked: list[Target] = []
        self.in_flight = self.most_in_flight = 0
        self.before: Callable[[], Awaitable[object]] = checkpoint
        known = {key for one in answers if isinstance(one, dict) for key in one}
        self.step = Step(
            name=name,
            provider=name.partition(".")[0].title(),
            endpoint=f"{name}.endpoint",
            fills=frozenset(fills) | known,
            needs=more.pop("needs", (LINK,)),
            lookup=self.look,
            price=price,
            **more,
        )

    async def look(self, target: Target) -> StepResult:
        self.asked.append(target)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self.before()
        finally:
            self.in_flight -= 1
        said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(said):
            said = said(target)
        if isinstance(said, Exception):
            raise said
        if isinstance(said, StepResult):
            return said
        return StepResult(values=said, endpoint=self.step.endpoint, at=AT, credits=self.cost)


def falls(*lookups: Lookup | Step, **settings: Any) -> Waterfall:
    """A waterfall over these."""
    steps = [one.step if isinstance(one, Lookup) else one for one in lookups]
    return Waterfall(steps, **{"clock": Skipping(), **settings})


def called(lookup: Lookup, name: str) -> Step:
    """The same step under another name."""
    return structs.replace(lookup.step, name=name)
