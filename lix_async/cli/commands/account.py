"""`lix account`: the remaining credits and requests."""

from __future__ import annotations

import sys
from datetime import datetime

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

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

    No published cost. Makes two requests, one after the other.
    """

    async def work(session: CommandSession) -> int:
        balances = await session.lix.send(BALANCES, NoParams())
        allowance = await session.lix.send(DAILY_ALLOWANCE, NoParams())
        session.progress.stop()
        if choose_format(output, terminal=sys.stdout.isatty()) == "table":
            _show(balances.value, allowance.value)
            return OK
        both = {"balances": balances.body, "allowance": allowance.body}
        body = msgspec.json.encode({name: msgspec.Raw(part) for name, part in both.items()})
        write_answer(compact(body), dict, output)
        return OK

    return run_command(
        work, connection, ProgressCounts(""), quiet=output.quiet, live=not writes_to_screen(output)
    )


def _show(balances: Balances, allowance: DailyAllowance) -> None:
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", style="bold", no_wrap=True)
    table.add_column(style="dim")
    paid_with = "people, posts, jobs, searches, messages"
    table.add_row("Standard credits", _count(balances.linkedin_balance), paid_with)
    table.add_row("Org credits", _count(balances.lookc_balance), "organisations, ids")
    table.add_row("Email credits", _count(balances.email_balance), "contact lookups")
    refreshes = _moment(allowance.refreshes_at)
    table.add_row("Requests left today", _count(allowance.requests_remaining), refreshes)
    Console().print(table)


def _count(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else f"renewed {format_until(moment.timestamp())}"
