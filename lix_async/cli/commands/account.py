"""`lix account`: the remaining credits and requests."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import datetime

import msgspec

from ...core.json_text import compact
from ...providers.lix.endpoints.accounts import BALANCES, DAILY_ALLOWANCE
from ...providers.lix.models import Balances, DailyAllowance
from ...providers.lix.params import NoParams
from ..errors import OK
from ..options import (
    CONNECTION_DEFAULTS,
    ROW_DEFAULTS,
    ConnectionOptions,
    RowOutputOptions,
    choose_format,
)
from ..output.destination import writes_to_screen
from ..output.single import write_answer
from ..runtime.progress import ProgressCounts
from ..runtime.session import CommandSession, run_command
from ..text import format_until


def account(
    *,
    output: RowOutputOptions = ROW_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Show the remaining credits, today's remaining requests, and when they are renewed.

    No published cost. Makes two requests, one after the other, and shows each answer when it is
    there.
    """

    async def work(session: CommandSession) -> int:
        is_table = choose_format(output, terminal=sys.stdout.isatty()) == "table"
        balances = await session.lix.send(BALANCES, NoParams())
        if is_table:
            session.progress.stop()
            _show(_credits(balances.value))
        allowance = await session.lix.send(DAILY_ALLOWANCE, NoParams())
        session.progress.stop()
        if is_table:
            _show([_requests(allowance.value)])
            return OK
        both = {"balances": balances.body, "allowance": allowance.body}
        body = msgspec.json.encode({name: msgspec.Raw(part) for name, part in both.items()})
        write_answer(compact(body), dict, output)
        return OK

    return run_command(
        work, connection, ProgressCounts(""), quiet=output.quiet, live=not writes_to_screen(output)
    )


def _credits(balances: Balances) -> list[tuple[str, str, str]]:
    paid_with = "people, posts, jobs, searches, messages"
    return [
        ("Standard credits", _count(balances.linkedin_balance), paid_with),
        ("Org credits", _count(balances.lookc_balance), "organisations, ids"),
        ("Email credits", _count(balances.email_balance), "contact lookups"),
    ]


def _requests(allowance: DailyAllowance) -> tuple[str, str, str]:
    refreshes = _moment(allowance.refreshes_at)
    return "Requests left today", _count(allowance.requests_remaining), refreshes


def _show(rows: Iterable[tuple[str, str, str]]) -> None:
    """Print rows at once; those that come later stand in the same columns."""
    from rich.console import Console  # late: not for answers in a pipe
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=len("Requests left today"))
    table.add_column(justify="right", style="bold", no_wrap=True, min_width=len("1,000,000,000"))
    table.add_column(style="dim")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _count(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else f"renewed {format_until(moment.timestamp())}"
