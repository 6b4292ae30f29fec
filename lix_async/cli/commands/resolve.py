"""`lix resolve LINK…`: which ids are of one person or organisation, and what was bought."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.errors import ConfigurationError
from ...ledger.ledger import Ledger
from ...ledger.resolution import Resolution
from .. import console
from ..errors import OK, USAGE
from ..ledger.address import ledger_address, opened_read_only
from ..runtime.session import run_until_signal
from .ledger import StoreOption, subject_lines


def resolve(*links: str, store: StoreOption = None) -> int:
    """Show what is known of links, URNs or ids: whose they are, and what was bought.

    It is read from a ledger: nothing is sent, and nothing is charged.

    Args:
        links: Links, URNs or encoded ids of people or organisations.
        store: The ledger.
    """
    address = ledger_address(store)

    async def work() -> int:
        code = OK
        async with opened_read_only(address) as opened:
            known = Ledger(opened)
            for link in links:
                try:
                    found = await known.resolve(link)
                except ConfigurationError as error:
                    console.print_line(f"{link}: {error}")
                    code = USAGE
                    continue
                for line in _lines(found):
                    console.print_line(line)
        return code

    return run_until_signal(work)


def _lines(found: Resolution) -> Iterator[str]:
    one = found.identifier
    yield f"{found.given}: {one.kind} {one.id}"
    if found.subject is None:
        yield "  unknown: no answer in the ledger shows it"
        return
    if found.expired:
        yield "  last shown too long ago: not used, since slugs change hands"
    yield from subject_lines(found.subject)
