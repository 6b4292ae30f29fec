"""What a command costs: the estimate before it, the question in it, and the price after it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

import anyio

from ..core.endpoint import CreditKind, Price
from ..core.errors import LixError
from ..core.rate_limit import RateLimit
from ..engine.client import Client
from ..engine.credits import CreditBudget
from . import console
from .errors import REFUSED, CommandError, command_error_for
from .options import ConnectionOptions
from .text import format_duration, format_until, plural, rate_text

if TYPE_CHECKING:
    from ..bulk.prepared_call import CallPreparer
    from ..bulk.preview import Preview
    from .runtime.session import CommandSession

R = TypeVar("R")
_TERMINAL = Path("/dev/tty")


def credits_text(credits: int, lost: int = 0) -> str:
    """`1 credit`, or `3 credits and up to 2 more for answers that were lost`.

    All that a command prints after it has spent credits has these words, so that its numbers agree:
    a lookup in doubt and a failed attempt without an answer are in the second number.

    Args:
        credits: Credits of answers that were received.
        lost: Credits that attempts without an answer may have cost.
    """
    text = f"{credits:,} {plural(credits, 'credit')}"
    return f"{text} and up to {lost:,} more for answers that were lost" if lost else text


def spent_text(budget: CreditBudget) -> str:
    """What the calls of a client have cost."""
    if budget.unpriced and not (budget.total or budget.lost):
        return "the price is not published"
    return credits_text(budget.total, budget.lost)


async def priced(
    call: Callable[[], Awaitable[R]],
    price: Price,
    connection: ConnectionOptions,
    session: CommandSession,
    *,
    quiet: bool,
) -> R:
    """Make one call, after a question where its price is above the threshold.

    Where it fails, what it has cost is printed all the same.

    Args:
        call: Makes the call.
        price: Its price.
        connection: The options, with the threshold.
        session: The session, whose client makes the call.
        quiet: Whether to print nothing.

    Raises:
        CommandError: The answer was no, there is no terminal, or the call failed and cost
            something.
        LixError: The call failed.
    """
    await confirm(price.amount, f"this costs {credits_text(price.amount)}", connection, session)
    try:
        return await call()
    except LixError as error:
        budget = session.lix.credits
        if quiet or not (budget.total or budget.lost):
            raise
        failure = command_error_for(error)
        failure.message += f" ({spent_text(budget)})"
        raise failure from None


def is_confirmed(connection: ConnectionOptions) -> bool:
    """Whether the options allow any number of credits, or set a limit of their own."""
    return connection.yes or connection.max_credits is not None


def needs_confirmation(credits: int, connection: ConnectionOptions) -> bool:
    """Whether somebody has to agree before so many credits are spent."""
    return credits > connection.confirm_above and not is_confirmed(connection)


async def confirm(
    credits: int,
    what: str,
    connection: ConnectionOptions,
    session: CommandSession,
) -> None:
    """Ask on the terminal whether to spend credits, where they are above the threshold.

    Args:
        credits: What the command costs at most.
        what: The sentence that says so, without a full stop.
        connection: The options, with the threshold.
        session: The session, whose progress line is hidden meanwhile.

    Raises:
        CommandError: The answer was no, or there is no terminal.
        Interrupted: The command was stopped.
    """
    if not needs_confirmation(credits, connection):
        return
    session.progress.stop()
    with ExitStack() as stack:
        terminal = _terminal(stack)
        if terminal is None:
            raise CommandError(
                f"{what}; without a terminal this needs --yes or --max-credits",
                hint="--yes goes on, --max-credits N spends at most N credits",
            )
        sys.stderr.write(f"{what}. Continue? [y/N] ")
        sys.stderr.flush()
        answer = ""
        try:
            if sys.platform != "win32":
                # A reading thread would not end on Ctrl-C.
                await session.monitor.unless_stopped(partial(anyio.wait_readable, terminal))
            answer = terminal.readline()
        finally:
            if not answer.endswith("\n"):  # the line of the question is still open
                sys.stderr.write("\n")
        if answer.strip().lower() not in ("y", "yes"):
            raise CommandError(
                "not confirmed: no more credits are spent",
                hint="--max-credits N sets a limit in place of the question",
                code=REFUSED,
            )
    session.progress.start()


async def confirm_run(
    session: CommandSession,
    connection: ConnectionOptions,
    ledger: str,
    preparer: CallPreparer,
    inputs: Iterable[object] | AsyncIterable[object],
    *,
    max_age: timedelta | None = None,
    refused_age: timedelta | None = None,
    refresh: int = 0,
    recheck: int = 0,
    retry_doubts: bool = False,
) -> None:
    """Ask before a run costs more than the threshold. What the ledger has costs nothing.

    Inputs are counted up to the threshold, and not at all where nothing would be asked.

    Args:
        session: The session.
        connection: The options, with the threshold.
        ledger: The address of the ledger.
        preparer: What makes calls of inputs.
        inputs: The inputs; a new iterable, not the one that the run takes them from.
        max_age: The greatest age of an answer that is not bought again.
        refused_age: The same for refusals.
        refresh: Credits to spend on buying answers again.
        recheck: How often an answer that may become better is looked up again.
        retry_doubts: Whether lookups in doubt are looked up again.

    Raises:
        CommandError: The answer was no, or there is no terminal.
        Interrupted: The command was stopped.
    """
    if is_confirmed(connection):
        return
    limit = connection.confirm_above
    session.monitor.state = "counting"
    credits = refresh
    if credits <= limit:
        from ..bulk.preview import credits_up_to  # late, as below: a single lookup needs no runs

        credits += await credits_up_to(
            limit - credits,
            *(ledger, preparer, inputs),
            max_age=max_age,
            refused_age=refused_age,
            recheck=recheck,
            retry_doubts=retry_doubts,
        )
    session.monitor.state = "requesting"
    what = f"this costs more than {limit:,} {plural(limit, 'credit')} (--dry-run says how many)"
    await confirm(credits, what, connection, session)


def _terminal(stack: ExitStack) -> TextIO | None:
    """Where an answer is typed by whoever sees stderr; None without a terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        return None
    if sys.stdin is not None and sys.stdin.isatty():
        return sys.stdin
    try:  # stdin is a pipe, such as of the links, but there is a terminal
        return stack.enter_context(_TERMINAL.open(encoding="utf-8"))
    except OSError:
        return None


async def estimate_of(
    clients: Sequence[Client], calls: int, credits: Mapping[CreditKind, int], *, unpriced: int = 0
) -> Preview:
    """An estimate of calls, with what the accounts have. Makes no call that costs anything.

    Args:
        clients: The clients that make the calls. The rate is that of the first one.
        calls: The number of calls.
        credits: Their credits by kind at most.
        unpriced: Calls without a published price.
    """
    from ..bulk.preview import Preview, seconds_needed

    balances: dict[CreditKind, int] | None = None
    requests_left: int | None = None
    refreshes_at: float | None = None
    for client in clients:
        endpoints = client.balance_endpoints
        if endpoints is None:
            continue
        try:
            answer = await client.send(endpoints.allowance, endpoints.params)
            requests_left, refreshes_at = endpoints.left(answer.value)
            answer = await client.send(endpoints.balances, endpoints.params)
            balances = {**(balances or {}), **endpoints.credits(answer.value)}
        except LixError:  # what cannot be read is unknown
            continue
    engine = clients[0].engine
    rate: RateLimit | None = getattr(engine.limiter, "rate", None)
    return Preview(
        inputs=calls,
        distinct=calls,
        invalid=0,
        answered=0,
        in_doubt=0,
        calls=calls,
        listings=0,
        credits=dict(credits),
        unpriced=unpriced,
        balances=balances,
        requests_left=requests_left,
        refreshes_at=refreshes_at,
        seconds=seconds_needed(
            calls,
            None if rate is None else rate.interval,
            requests_left=requests_left,
            renewed_in=None if refreshes_at is None else refreshes_at - engine.clock.wall(),
        ),
    )


def print_estimate(
    head: Sequence[tuple[str, str]],
    estimate: Preview,
    rate: RateLimit | None,
    *,
    at_most: bool = True,
) -> None:
    """Print an estimate on stdout.

    Args:
        head: The first lines: what is looked up.
        estimate: The cost.
        rate: The rate of the client.
        at_most: Whether the command may cost less.
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in head:
        table.add_row(name, text)
    costs = [f"{n:,} {kind} {plural(n, 'credit')}" for kind, n in estimate.credits.items() if n]
    if estimate.unpriced:
        costs.append(f"{estimate.unpriced:,} {plural(estimate.unpriced, 'call')} without a price")
    most = " at most" if at_most else ""
    table.add_row("Cost", ", ".join(costs) + most if costs else "none")
    if estimate.balances is not None:
        have = [f"{n:,} {kind}" for kind, n in estimate.balances.items()]
        table.add_row("Balance", ", ".join(have))
    for kind, missing in estimate.shortfall.items():
        table.add_row("Missing", f"{missing:,} {kind} {plural(missing, 'credit')}")
    if estimate.requests_left is not None:
        at = estimate.refreshes_at
        renewal = "" if at is None else f"; renewed {format_until(at)}"
        left = f"{estimate.requests_left:,} {plural(estimate.requests_left, 'request')} left"
        days = "; the run takes more than a day" if estimate.exceeds_today else ""
        table.add_row("Today", f"{left}{renewal}{days}")
    if estimate.seconds is not None and estimate.calls:
        table.add_row("Time", _time(estimate, rate))
    Console(highlight=False).print(table)
    if estimate.shortfall:
        console.print_note("the account does not have enough credits for all lookups")


def _time(estimate: Preview, rate: RateLimit | None) -> str:
    """How long it takes: the rate, the day's allowance, and lookups that are queued."""
    assert estimate.seconds is not None  # checked by the caller
    words = "at least" if estimate.exceeds_today else "about"
    text = f"{words} {format_duration(estimate.seconds)} at {rate_text(rate)}"
    if estimate.queued:
        text += f"; {estimate.queued:,} {plural(estimate.queued, 'lookup')} queued at the provider"
    return text
