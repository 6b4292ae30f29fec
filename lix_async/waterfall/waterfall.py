"""The waterfall: steps asked one after the other for each target, many targets at once."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import TypeVar, get_args, overload

from ..concurrency.clock import Clock, RealClock
from ..concurrency.worker_pool import InputStream as Inputs
from ..concurrency.worker_pool import WorkerPool
from ..core.errors import (
    AuthenticationError,
    BudgetError,
    ConfigurationError,
    DailyLimitError,
    LixError,
    NotFoundError,
    QuotaExceededError,
    ViewerError,
)
from ..engine.client import Client
from ..engine.credits import CreditBudget, possible_cost
from .registry import skip_reason, steps_of
from .results import INPUT, Company, Email, Profile, Result, Source
from .steps import Order, Step, StepResult, StepStats, sort_steps
from .targets import Target

R = TypeVar("R", bound=Result)


class Results(WorkerPool[Target | str, R]):
    """An async iterator of results; `async with` ends its workers when the block is left."""

    async def __aenter__(self) -> Results[R]:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


class Waterfall:
    """Asks several providers in turn until the wanted fields are filled.

    * `sources`: clients, whose ready-made steps are taken (`steps_of`), and steps of your own.
      Clients without any are passed over (`passed_over` says why).
    * `want`: the fields that shall be filled, default the e-mail address.
    * `until`: called with a result; true when it is good enough. Then every field that is
      missing is asked for, whatever `want` says. Default: all of `want` is filled. Names of
      fields stand for that too: `until=("email", "headline")` is `want` in another word.
    * `order`: `"given"` (default), `"price"` (cheapest first, unpublished prices last), or
      `"fill"`: by the fields that an ask is expected to fill per credit, learned from `stats`.
    * `budget`: credits of all kinds that this object may spend; None sets no bound. A call's
      price is set aside before it is sent. Calls without a published price count as nothing,
      answers that were lost as paid; only attempts lost within one call can exceed the bound.
    * `concurrency`: targets under way at once in `run` (4); limiters set the pace.
    * `clock`: for tests.

    For each target, each step is asked once at most, and only with something that it may fill
    still missing. Where no such step has what it needs (a link, an address), one is asked that
    may find that first. What one step finds, the next ones can be asked with. Where a provider
    has a lookup of its own for all that is still missing, that goes before its wider ones.

    Errors of a step are kept on the result and stop neither the other steps nor other targets.
    Raises `ConfigurationError` for settings that make no sense, and for a target that cannot be
    looked up.
    """

    def __init__(
        self,
        sources: Iterable[Client | Step],
        *,
        want: Iterable[str] = ("email",),
        until: Callable[[Result], object] | Iterable[str] | None = None,
        order: Order = "given",
        budget: int | None = None,
        concurrency: int = 4,
        clock: Clock | None = None,
    ) -> None:
        self.skipped: dict[str, str] = {}
        """Providers whose clients have no step, and why."""
        self.steps = self._collected(sources)
        """What is asked, in the given order."""
        if until is not None and not callable(until):
            want, until = until, None
        self._want = frozenset((want,) if isinstance(want, str) else want)
        unknown = self._want - Profile.fields() - Company.fields() - Email.fields()
        if unknown or not self._want:
            known = ", ".join(sorted(Profile.fields() | Company.fields()))
            raise ConfigurationError(f"want knows {known}, not {sorted(unknown)}")
        if order not in get_args(Order):
            raise ConfigurationError(f"order must be given, price or fill, not {order!r}")
        if concurrency < 1:
            raise ConfigurationError(f"concurrency must be at least 1: {concurrency}")
        self._until = until
        self._concurrency = concurrency
        self._clock: Clock = clock or RealClock()
        self._asking = StepScheduler(
            self.steps, order, CreditBudget(budget, name="budget", kind="budget")
        )

    def _collected(self, sources: Iterable[Client | Step]) -> tuple[Step, ...]:
        steps: list[Step] = []
        for source in sources:
            if isinstance(source, Step):
                steps.append(source)
                continue
            if not isinstance(source, Client):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
                raise ConfigurationError(
                    "sources must be clients, such as AsyncLix(), or steps, not "
                    f"{type(source).__name__}"
                )
            ready = steps_of(source)
            steps += ready
            if not ready:
                self.skipped[source.provider.name] = skip_reason(source)
        if not steps:
            why = "; ".join(self.skipped.values()) or "no clients or steps were given"
            raise ConfigurationError(f"a waterfall needs at least one step: {why}")
        names = [step.name for step in steps]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ConfigurationError(
                f"two steps are called {', '.join(twice)}: rename one by "
                "msgspec.structs.replace(step, name=...)"
            )
        return tuple(steps)

    @property
    def stats(self) -> Mapping[str, StepStats]:
        """By step: asked, filled by field, failed, credits. Read it at any moment."""
        return MappingProxyType(self._asking.stats)

    @property
    def spent(self) -> int:
        """Credits spent so far, those included that lost answers may have cost."""
        return self._asking.budget.total + self._asking.budget.lost

    async def profile(self, target: Target | str) -> Profile:
        """One person, by a profile link, an e-mail address or a `Target`.

        Costs what the steps asked cost: see `.credits`. Raises `ConfigurationError` for a target
        that is no person, and where no field of `want` is one of a `Profile`.
        """
        return await self._look(target, Profile, {})

    async def email(self, target: Target | str) -> Email:
        """The e-mail address of one person. Costs and raises what `profile` does."""
        return await self._look(target, Email, {})

    async def company(self, target: Target | str) -> Company:
        """One company, by its link or somebody's address there: `want=("name", "website")`.

        Costs and raises what `profile` does.
        """
        return await self._look(target, Company, {})

    @overload
    def run(
        self, targets: Iterable[Target | str] | AsyncIterable[Target | str]
    ) -> Results[Profile]: ...
    @overload
    def run(
        self, targets: Iterable[Target | str] | AsyncIterable[Target | str], into: type[R]
    ) -> Results[R]: ...
    def run(
        self,
        targets: Iterable[Target | str] | AsyncIterable[Target | str],
        into: type[Result] = Profile,
    ) -> object:
        """Many targets: an async iterator of results as they are complete, in no order.

        `into`: `Profile` (default), `Email` or `Company`. No more targets are taken than the
        caller takes results. A step that fails in a way that lasts (the key is not accepted, the
        credits or the day's allowance are used up) rests for the rest of the run: later results
        carry its error. Raises `ConfigurationError` at a target that cannot be looked up, after
        what was in flight has been handed over: make them by `Target.of` to sort them out first.
        """
        return self._run(targets, into)

    def _run(
        self, targets: Iterable[Target | str] | AsyncIterable[Target | str], into: type[R]
    ) -> Results[R]:
        resting: dict[str, LixError] = {}

        async def work(given: Target | str) -> R:
            return await self._look(given, into, resting)

        return Results(work, Inputs(targets).next, self._concurrency)

    async def _look(self, given: Target | str, into: type[R], resting: dict[str, LixError]) -> R:
        target = Target.of(given)
        wanted = (into.fields() if self._until else self._want) & into.fields()
        if not wanted:
            known = ", ".join(sorted(into.fields()))
            raise ConfigurationError(f"want names no field of a {into.__name__}: {known}")
        if target.about not in (None, into.about):
            raise ConfigurationError(f"{into.__name__} wants a {into.about}, not a {target.about}")
        result = into(target=target)
        self._begin(target, result)
        asked: frozenset[str] = frozenset()
        while not (self._until(result) if self._until else result.filled(wanted)):
            step = self._asking.next(result, wanted, asked)
            if step is None:
                break
            asked |= {step.name}
            await self._asking.ask(step, result, resting)
        return result

    def _begin(self, target: Target, result: Result) -> None:
        """What the caller knew counts as filled."""
        at = datetime.fromtimestamp(self._clock.wall(), UTC)
        given = {"linkedin_url": target.page}
        if result.about == "person":
            given |= {"email": target.email, "full_name": target.name, "company": target.company}
        result.take(given, Source(provider=INPUT, endpoint=INPUT, at=at, credits=0))


_LASTING = (AuthenticationError, QuotaExceededError, DailyLimitError, ViewerError)


_KEYS = {
    "linkedin_url": "linkedin_url",
    "email": "email",
    "full_name": "name",
    "company": "company",
}
"""Fields of results that steps may need, and what they are called in a target."""


class StepScheduler:
    """Asks the steps of a waterfall, for one target at a time or for many at once."""

    def __init__(self, steps: Sequence[Step], order: Order, budget: CreditBudget) -> None:
        self.steps = tuple(steps)
        self.order: Order = order
        self.budget = budget
        self.stats = {step.name: StepStats() for step in steps}

    def next(self, result: Result, wanted: frozenset[str], asked: frozenset[str]) -> Step | None:
        """The step to ask now, or None when nobody is left who could add anything."""
        target = known(result)
        missing = result.missing(wanted)
        left = [s for s in self.steps if s.name not in asked and s.about == result.about]
        useful = [step for step in left if step.fills & missing]
        useful = [one for one in useful if not any(_rather(it, one, missing) for it in useful)]
        ready = [step for step in useful if step.ready(target)]
        if not ready:
            needed = {name for step in useful for need in step.needs for name in need}
            missing = result.missing(field for field, key in _KEYS.items() if key in needed)
            ready = [step for step in left if step.fills & missing and step.ready(target)]
        return next(iter(sort_steps(ready, self.order, self.stats, missing)), None)

    async def ask(self, step: Step, result: Result, resting: dict[str, LixError]) -> None:
        """Ask a step, and put what came of it into result, stats and budget.

        `resting`: the steps that are not asked for now, by the error that will not pass.
        """
        if step.name in resting:
            result.errors[step.name] = resting[step.name]
            return
        price, stat = step.price.amount, self.stats[step.name]
        try:
            await self.budget.reserve_when_free(step.price, step.endpoint)
        except BudgetError as error:
            result.errors[step.name] = error
            return
        found: StepResult | None = None
        problem: LixError | None = None
        spent, lost = 0, price  # what an ask may have cost that is cancelled
        try:
            found = await step.ask(known(result))
            problem, spent, lost = found.error, found.credits, found.lost
        except LixError as failed:
            problem, lost = failed, possible_cost(failed, price)
        finally:
            self.budget.settle(step.price, spent, lost)
            stat.credits += spent
            stat.lost += lost
            stat.asked += 1
        result.credits += spent
        if problem is not None:
            result.errors[step.name] = problem
            stat.failed += not isinstance(problem, NotFoundError)
            if isinstance(problem, _LASTING) and not isinstance(problem, BudgetError):
                resting[step.name] = problem
        if found is not None:
            self._keep(step, found, result)

    def _keep(self, step: Step, found: StepResult, result: Result) -> None:
        values = {name: value for name, value in found.values.items() if name in step.fills}
        self.stats[step.name].filled.update(
            name for name, value in values.items() if (value or "").strip()
        )
        source = Source(
            provider=step.provider, endpoint=found.endpoint, at=found.at, credits=found.credits
        )
        result.take(values, source)


def _rather(special: Step, step: Step, missing: frozenset[str]) -> bool:
    """Whether a provider has a lookup of its own for all that a step could add.

    A record that has an address at times is paid for at any rate: it is asked for the address last.
    """
    return (
        special.provider == step.provider
        and special.fills < step.fills
        and step.fills & missing <= special.fills
    )


def known(result: Result) -> Target:
    """The target, and what was found of it so far."""
    target = result.target
    found = {key: result.get(name) for name, key in _KEYS.items()}
    return Target(
        text=target.text,
        linkedin_url=target.linkedin_url or found["linkedin_url"],
        email=target.email or found["email"],
        name=target.name or found["name"],
        company=target.company or found["company"],
    )
