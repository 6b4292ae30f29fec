"""The waterfall: for each target one step after another, for many targets at once."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import TypeVar, get_args, overload

from ..concurrency.clock import Clock, RealClock
from ..concurrency.worker_pool import CallScope, InputStream, WorkerPool
from ..core.errors import (
    AuthenticationError,
    BudgetError,
    ConfigurationError,
    DailyLimitError,
    DecodeError,
    LixError,
    NotFoundError,
    QuotaExceededError,
    SuppressedError,
    TransportError,
    ViewerError,
)
from ..engine.client import Client
from ..engine.credits import PAID, CreditBudget
from .registry import skip_reason, steps_of
from .results import INPUT, Company, Email, Profile, Result, Source
from .steps import Order, Step, StepResult, StepStats, sort_steps
from .targets import Target

R = TypeVar("R", bound=Result)


class Results(WorkerPool[Target | str, R]):
    """An async iterator of results. Use `async with` to stop its workers at the end of a block."""

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
    """Asks several providers one after another until the wanted fields are filled.

    For each target, each step runs at most once, and only while a field that it may fill is
    missing. If no such step has what it needs (a link, an address), a step runs that may find that
    first. What one step finds is available to the next ones. If a provider has a lookup of its own
    for all that is missing, that one runs before its wider lookups.

    Errors of a step are stored on the result and stop neither other steps nor other targets.

    Args:
        sources: Clients, whose ready-made steps are used (see `steps_of`), and steps of your own.
            Clients without steps are skipped; `skipped` has the reasons.
        want: The fields to fill; default the e-mail address.
        until: A function that is called with a result and returns whether it is good enough; then
            every missing field is looked up, whatever `want` says. A collection of field names
            is the same as `want`.
        order: `"given"`, `"price"` (cheapest first, unpublished prices last) or `"fill"` (by the
            fields that a step is expected to fill per credit, learned from `stats`).
        budget: Credits of all kinds that this object may spend; None for no limit. The price of
            each attempt is reserved before it is sent, whichever client a step uses. Calls without
            a published price count as 0, lost answers as charged.
        concurrency: Targets in progress at once in `run`; the limiters of the clients set the rate.
        clock: A clock for tests.

    Raises:
        ConfigurationError: If an argument is not valid, or no source has a step.

    Example:
        ```python
        waterfall = Waterfall([lookc, lix], want=("email", "headline"), budget=500)
        person = await waterfall.profile("https://www.linkedin.com/in/ada-example")
        ```
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
        """The names of providers whose clients have no steps, with the reasons."""
        self.steps = self._collect_steps(sources)
        """The steps in the given order."""
        if until is not None and not callable(until):
            want, until = until, None
        self._want = frozenset((want,) if isinstance(want, str) else want)
        unknown = self._want - Profile.fields() - Company.fields() - Email.fields()
        if unknown or not self._want:
            problem = f"unknown field {min(unknown)!r} in want" if unknown else "want is empty"
            fields = ", ".join(sorted(Profile.fields() | Company.fields()))
            raise ConfigurationError(f"{problem}: expected {fields}")
        if order not in get_args(Order):
            raise ConfigurationError(
                f"invalid order {order!r}: expected 'given', 'price' or 'fill'"
            )
        if concurrency < 1:
            raise ConfigurationError(f"concurrency must be at least 1: {concurrency}")
        self._until = until
        self._concurrency = concurrency
        self._clock: Clock = clock or RealClock()
        self._scheduler = StepScheduler(
            self.steps, order, CreditBudget(budget, name="budget", kind="budget")
        )

    def _collect_steps(self, sources: Iterable[Client | Step]) -> tuple[Step, ...]:
        steps: list[Step] = []
        for source in sources:
            if isinstance(source, Step):
                steps.append(source)
                continue
            if not isinstance(source, Client):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
                raise ConfigurationError(
                    f"invalid source of type {type(source).__name__}: expected a client, such as "
                    "AsyncLix(), or a Step"
                )
            ready = steps_of(source)
            steps += ready
            if not ready:
                self.skipped[source.provider.name] = skip_reason(source)
        if not steps:
            reason = "; ".join(self.skipped.values()) or "sources is empty"
            raise ConfigurationError(f"a waterfall needs at least one step: {reason}")
        names = [step.name for step in steps]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ConfigurationError(
                f"two steps are named {', '.join(twice)}: rename one with "
                "msgspec.structs.replace(step, name=...)"
            )
        return tuple(steps)

    @property
    def stats(self) -> Mapping[str, StepStats]:
        """Live counts by step name: asked, filled by field, failed, credits."""
        return MappingProxyType(self._scheduler.stats)

    @property
    def spent(self) -> int:
        """Credits spent so far, including those that lost answers may have cost."""
        return self._scheduler.budget.total + self._scheduler.budget.lost

    @property
    def reserved(self) -> int:
        """Credits that requests in flight may cost."""
        return sum(map(self._scheduler.budget.reserved, PAID))

    async def profile(self, target: Target | str) -> Profile:
        """Look up one person.

        Args:
            target: A link of a LinkedIn profile, an e-mail address or a `Target`.

        Returns:
            A result with the fields that were found, their sources and the errors of steps.

        Raises:
            ConfigurationError: If the target is not a person, or no field of `want` is one of a
                `Profile`.

        Credits: those of the steps that run; see `credits` of the result.
        """
        return await self._find(target, Profile, {})

    async def email(self, target: Target | str) -> Email:
        """Look up the e-mail address of one person; arguments and errors as for `profile`.

        Credits: those of the steps that run; see `credits` of the result.
        """
        return await self._find(target, Email, {})

    async def company(self, target: Target | str) -> Company:
        """Look up one company by its link or by an address there: `want=("name", "website")`.

        Arguments and errors as for `profile`.

        Credits: those of the steps that run; see `credits` of the result.
        """
        return await self._find(target, Company, {})

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
        """Look up many targets: an async iterator of results, in the order of completion.

        Targets are taken as the caller takes results. A step that fails for a reason that lasts
        (the key is rejected, credits or the daily allowance are used up) is suspended for the rest
        of the run: later results carry its error.

        Args:
            targets: Links, e-mail addresses or `Target`s. What the iterable raises is raised after
                the results of those before it; a cancellation of another task that it waited for
                becomes a `RuntimeError`.
            into: The type of the results: `Profile`, `Email` or `Company`.

        Raises:
            ConfigurationError: While iterating, at a target that cannot be looked up, after the
                results in progress. Use `Target.of` to check targets before.

        Credits: those of the steps that run; see `credits` of each result.
        """
        return self._run(targets, into)

    def _run(
        self, targets: Iterable[Target | str] | AsyncIterable[Target | str], into: type[R]
    ) -> Results[R]:
        suspended: dict[str, LixError] = {}

        async def work(target: Target | str, scope: CallScope) -> R:
            scope.on_its_way = True  # one of its requests may be
            return await self._find(target, into, suspended)

        return Results(work, InputStream(targets), self._concurrency)

    async def _find(self, text: Target | str, into: type[R], suspended: dict[str, LixError]) -> R:
        target = Target.of(text)
        wanted = (into.fields() if self._until else self._want) & into.fields()
        if not wanted:
            fields = ", ".join(sorted(into.fields()))
            raise ConfigurationError(
                f"no field of want belongs to {into.__name__}: expected one of {fields}"
            )
        if target.about not in (None, into.about):
            raise ConfigurationError(
                f"the target is a {target.about}: {into.__name__} needs a {into.about}"
            )
        result = into(target=target)
        self._take_known_fields(target, result)
        finished: frozenset[str] = frozenset()
        while not (self._until(result) if self._until else result.filled(wanted)):
            step = self._scheduler.next(result, wanted, finished)
            if step is None:
                break
            finished |= {step.name}
            await self._scheduler.run(step, result, suspended)
            if isinstance(result.errors.get(step.name), SuppressedError):
                break  # forgotten: the other providers are not asked either
        return result

    def _take_known_fields(self, target: Target, result: Result) -> None:
        """Fill the fields that the target has."""
        at = datetime.fromtimestamp(self._clock.wall(), UTC)
        values = {"linkedin_url": target.page}
        if result.about == "person":
            values |= {"email": target.email, "full_name": target.name, "company": target.company}
        result.take(values, Source(provider=INPUT, endpoint=INPUT, at=at, credits=0))


LASTING_ERRORS = (AuthenticationError, QuotaExceededError, DailyLimitError, ViewerError)
"""Errors of a provider that each further lookup would get: the step is not run again."""


_TARGET_NAMES = {
    "linkedin_url": "linkedin_url",
    "email": "email",
    "full_name": "name",
    "company": "company",
}
"""Fields of results that steps may need, with their names in a target."""


class StepScheduler:
    """Chooses and runs the steps of a waterfall. Used for many targets at once."""

    def __init__(self, steps: Sequence[Step], order: Order, budget: CreditBudget) -> None:
        self.steps = tuple(steps)
        self.order: Order = order
        self.budget = budget
        self.stats = {step.name: StepStats() for step in steps}

    def next(self, result: Result, wanted: frozenset[str], finished: frozenset[str]) -> Step | None:
        """The step to run next, or None if no step can add anything.

        Args:
            result: The result so far.
            wanted: The fields to fill.
            finished: The names of the steps that were run for this result.
        """
        target = _known_target(result)
        missing = result.missing(wanted)
        left = [s for s in self.steps if s.name not in finished and s.about == result.about]
        useful = [step for step in left if step.fills & missing]
        useful = [
            step for step in useful if not any(_replaces(other, step, missing) for other in useful)
        ]
        ready = [step for step in useful if step.ready(target)]
        if not ready:  # find what the useful steps need, such as a link
            needed = {name for step in useful for need in step.needs for name in need}
            missing = result.missing(field for field, key in _TARGET_NAMES.items() if key in needed)
            ready = [step for step in left if step.fills & missing and step.ready(target)]
        return next(iter(sort_steps(ready, self.order, self.stats, missing)), None)

    async def run(self, step: Step, result: Result, suspended: dict[str, LixError]) -> None:
        """Run a step and update the result, the stats and the budget.

        Args:
            step: The step.
            result: The result to fill.
            suspended: The errors of steps that do not run any more, by name; this method adds to
                it.
        """
        if step.name in suspended:
            result.errors[step.name] = suspended[step.name]
            return
        stat = self.stats[step.name]
        budget = CreditBudget(parent=self.budget)
        try:
            reservation = await budget.reserve(step.price, step.endpoint)
        except BudgetError as refusal:
            result.errors[step.name] = refusal
            return
        found: StepResult | None = None
        error: LixError | None = None
        charged, maybe = 0, step.price.amount  # what a lookup that did not end may have cost
        try:
            with reservation.outer():
                found = await step.ask(_known_target(result))
            error, charged, maybe = found.error, found.credits, found.lost
        except LixError as failure:
            error, maybe = failure, _possible_cost(failure, step.price.amount)
        finally:
            # Calls of a client have counted for themselves by now, each attempt with its own cost.
            reservation.settle(charged, maybe)
            stat.credits += (spent := budget.total)
            stat.lost += budget.lost
            stat.asked += 1
        result.credits += spent
        if error is not None:
            result.errors[step.name] = error
            stat.failed += not isinstance(error, NotFoundError)
            if isinstance(error, LASTING_ERRORS) and not isinstance(error, BudgetError):
                suspended[step.name] = error
            stat.known += found is None and error.cached
        if found is not None:
            stat.known += found.known
            self._record(step, found, result)

    def _record(self, step: Step, found: StepResult, result: Result) -> None:
        values = {name: value for name, value in found.values.items() if name in step.fills}
        stat, filled = self.stats[step.name], [n for n, v in values.items() if (v or "").strip()]
        stat.filled.update(filled)
        stat.known_values += len(filled) * found.known
        source = Source(
            provider=step.provider,
            endpoint=found.endpoint,
            at=found.at,
            credits=found.credits or found.bought_for,
        )
        result.take(values, source)


def _possible_cost(error: LixError, price: int) -> int:
    """Credits that a failed lookup without a client of this package may have cost."""
    if isinstance(error, DecodeError):
        return price
    if isinstance(error, TransportError) and error.sent:
        return price * max(error.attempts, 1)
    return 0


def _replaces(special: Step, step: Step, missing: frozenset[str]) -> bool:
    """Whether the same provider has a narrower lookup for all that a step could add.

    A profile lookup is charged whether or not it has an address, so an address is requested from
    the address lookup first.
    """
    return (
        special.provider == step.provider
        and special.fills < step.fills
        and step.fills & missing <= special.fills
    )


def _known_target(result: Result) -> Target:
    """The target with what was found about it so far."""
    target = result.target
    found = {key: result.get(name) for name, key in _TARGET_NAMES.items()}
    return Target(
        text=target.text,
        linkedin_url=target.linkedin_url or found["linkedin_url"],
        email=target.email or found["email"],
        name=target.name or found["name"],
        company=target.company or found["company"],
    )
