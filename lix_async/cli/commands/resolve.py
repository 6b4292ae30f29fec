"""`lix resolve LINK…` and `lix ledger conflicts`: which ids are of one person or organisation."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.errors import ConfigurationError
from ...ledger.ledger import Ledger
from ...ledger.resolution import Resolution, SubjectRecord
from .. import console
from ..errors import OK, USAGE
from ..ledger.address import ledger_address, opened_read_only
from ..runtime.session import run_until_signal
from .ledger import StoreOption, ledger


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


@ledger.command
def conflicts(*, store: StoreOption = None) -> int:
    """List people and organisations whose ids contradict each other.

    Nothing is found by these ids: a lookup under another one of them is bought.
    """
    address = ledger_address(store)

    async def work() -> int:
        count = 0
        async with opened_read_only(address) as opened:
            async for conflict in Ledger(opened).conflicts():
                count += 1
                console.print_line(f"conflict {count}")
                for subject in conflict.subjects:
                    for line in _subject_lines(subject):
                        console.print_line(line)
        if not count:
            console.print_line("no conflicts")
        return OK

    return run_until_signal(work)


def _lines(found: Resolution) -> Iterator[str]:
    one = found.identifier
    yield f"{found.given}: {one.kind} {one.id}"
    if found.subject is None:
        yield "  unknown: no answer in the ledger shows it"
        return
    if found.expired:
        yield "  last shown too long ago: not used, since slugs change hands"
    yield from _subject_lines(found.subject)


def _subject_lines(subject: SubjectRecord) -> Iterator[str]:
    note = ", in conflict with another one: not used" if subject.ambiguous else ""
    yield f"  subject {subject.id}{note}"
    for one in subject.ids:
        text = one.link or one.id or "(erased)"
        yield f"    {one.kind:<12} {text}  since {one.seen_at:%Y-%m-%d}"
    for bought in subject.lookups:
        yield f"    {bought.endpoint}: {bought.status} {bought.changed_at:%Y-%m-%d}, {bought.given}"
