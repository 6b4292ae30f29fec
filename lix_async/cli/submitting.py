"""`lix enrich --store postgresql://…`: hand the links to whoever runs `lix worker`."""

from __future__ import annotations

from ..core.errors import ConfigurationError
from . import screen
from .enriching import kind_of
from .errors import OK, CommandError
from .inputs import Inputs
from .ledger import shown
from .links import Kind, Target
from .progress import plural
from .queues import Queue
from .queues import submit as queued


async def submit(address: str, queue: Queue, wanted: Kind | None, inputs: Inputs) -> int:
    """Queue every link; what to do next is said on stderr."""
    lookups: list[tuple[Kind, Target]] = [
        (kind_of(wanted, known), known) for known in inputs.targets
    ]
    try:
        chunks = await queued(address, lookups, queue)
    except ConfigurationError as error:
        raise CommandError(str(error)) from None
    links, place = len(lookups), shown(address)
    option = "" if queue == "pgqueuer" else f" --queue {queue}"
    screen.note(
        f"{links:,} {plural(links, 'link')} submitted in {chunks:,} {plural(chunks, 'chunk')}. "
        "On any number of machines:\n"
        f"  lix worker --store {place}{option}\n"
        "How it stands, and the rows when they are there:\n"
        f"  lix run status {place}\n"
        f"  lix run export {place} --out rows.jsonl"
    )
    return OK
