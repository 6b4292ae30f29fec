"""`lix ledger …`: what a ledger holds."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from ...ledger.rule import STATUSES
from .. import console
from ..errors import OK
from ..ledger.address import display_address, ledger_address, opened_read_only
from ..runtime.session import run_until_signal
from ..text import plural

StoreOption = Annotated[
    str | None,
    Parameter(
        name="--store",
        help="The ledger: a file, or postgresql://…. Default: LIX_STORE. Use that for an address "
        "with a password, because other users can see the arguments of a process.",
    ),
]

ledger = App(
    name="ledger",
    help_epilogue="",
    help="""Look into a ledger, the record of all lookups.

    These commands send nothing to the provider.""",
)


@ledger.command(sort_key=0)
def size(*, store: StoreOption = None) -> int:
    """Show how many lookups and credits a ledger holds."""
    address = ledger_address(store)

    async def work() -> int:
        async with opened_read_only(address) as opened:
            counts = await opened.counts()
        lookups = sum(counts.of(status) for status in STATUSES)
        credits = f"{counts.credits:,} {plural(counts.credits, 'credit')}"
        console.print_line(
            f"{display_address(address)}: {lookups:,} {plural(lookups, 'lookup')}, {credits}"
        )
        return OK

    return run_until_signal(work)
