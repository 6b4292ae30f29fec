"""`lix enrich --store postgresql://…`: queueing links for `lix worker`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from importlib import import_module
from typing import TYPE_CHECKING, Literal, cast

from ..bulk.preview import credits_up_to
from ..core.errors import BulkError, ConfigurationError
from ..engine.call_key import Input
from ..ledger.ledger import open_store
from . import console
from .costs import confirm_run
from .errors import OK, REFUSED, CommandError
from .input.lookup_kinds import LookupKind
from .input.targets import LOOKUPS, LookupTarget, lookup_kind, method_input
from .ledger.address import STORE_VARIABLE, display_address, is_server, ledger_error, shell_argument
from .options import ConnectionOptions
from .text import counted

if TYPE_CHECKING:
    from ..integrations.job_queue import JobQueue
    from .runtime.session import CommandSession

_WITHOUT_EFFECT: dict[str, tuple[str, ...]] = {
    "pass {} to `lix worker`": (
        "--concurrency",
        "--doubts",
        *(
            f"--{field.name.replace('_', '-')}"
            for field in fields(ConnectionOptions)
            if field.name not in ("yes", "max_credits", "confirm_above")
        ),
    ),
    "pass {} to `lix run export`": ("--out", "-o", "--format", "--columns"),
    "{} can be used with a ledger in a file": (
        *("--recheck", "--on-daily-limit", "--max-age", "--refused-age", "--refresh"),
    ),
}
"""The options of `lix enrich` that have no effect with a queue, by the hint for them."""


def reject_ineffective_options() -> None:
    """Reject options that have no effect when links are only queued.

    Raises:
        CommandError: Such an option is on the command line, even with its default value.
    """
    typed = {one.partition("=")[0].replace("_", "-") for one in console.arguments.get()}
    found = {
        hint: [name for name in names if name in typed] for hint, names in _WITHOUT_EFFECT.items()
    }
    every = [name for names in found.values() for name in names]
    if every:
        raise CommandError(
            f"{_join(every)} {'has' if len(every) == 1 else 'have'} no effect with "
            "--store postgresql://…: the links are only queued",
            hint="; ".join(hint.format(_join(names)) for hint, names in found.items() if names),
        )


def _join(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


async def submit(
    session: CommandSession,
    connection: ConnectionOptions,
    address: str,
    queue: Queue,
    wanted: LookupKind | None,
    targets: Sequence[LookupTarget],
    *,
    quiet: bool = False,
) -> int:
    """Queue every link, after a question where they cost much, and print the next commands.

    The ledger is created if necessary. Workers do not ask again.

    Args:
        session: The session. Its client makes no call.
        connection: The options, with the threshold.
        address: The address of the PostgreSQL.
        queue: The queue.
        wanted: The kind of lookup; None to choose it by the link.
        targets: The links.
        quiet: Whether to print nothing.

    Returns:
        The exit code.

    Raises:
        CommandError: The cost was not confirmed, or the database cannot be used. The message does
            not have the password.
    """
    lookups: list[tuple[LookupKind, LookupTarget]] = [
        (lookup_kind(wanted, target), target) for target in targets
    ]
    try:
        await _confirm_cost(session, connection, address, wanted, targets)
        await _create_tables(address)
        chunks = await queue_lookups(address, lookups, queue)
    except (ConfigurationError, BulkError) as error:
        raise ledger_error(error, address) from None
    session.progress.stop()
    if not quiet:
        links = counted(len(lookups), "website" if wanted == "website" else "link")
        console.print_note(
            f"{links} queued in {counted(chunks, 'chunk')}. {_worker_intro(address)}"
        )
        console.print_note("\n".join(_next_commands(shell_argument(address), queue)))
    return OK


async def _confirm_cost(
    session: CommandSession,
    connection: ConnectionOptions,
    address: str,
    wanted: LookupKind | None,
    targets: Iterable[LookupTarget],
) -> None:
    """Ask before links are queued that cost more than the threshold, or refuse them above a limit.

    Raises:
        CommandError: They cost more than `--max-credits`, or were not confirmed.
    """
    from .input.target_calls import TargetCallPreparer  # late: only a queue needs it here

    preparer = TargetCallPreparer(session.lix, wanted)
    links, limit = [target.sent for target in targets], connection.max_credits
    if limit is None:
        await confirm_run(session, connection, address, preparer, links)
    elif await credits_up_to(limit, address, preparer, links) > limit:
        raise CommandError(
            f"these lookups cost more than {counted(limit, 'credit')}, and nothing was queued",
            hint="raise --max-credits, or queue fewer of them with --limit",
            code=REFUSED,
        )


async def _create_tables(address: str) -> None:
    """Create the ledger's tables, so that `lix run status` works before a worker has started."""
    store = open_store(address)
    await store.open()
    await store.close()


def _worker_intro(address: str) -> str:
    if shell_argument(address) is not None:
        return "On any number of machines:"
    return f"Set {STORE_VARIABLE} to the address; it has a password. On any number of machines:"


def _next_commands(address: str | None, queue: Queue) -> Iterator[str]:
    queue_option = "" if queue == "pgqueuer" else f" --queue {queue}"
    yield f"  lix worker{'' if address is None else f' --store {address}'}{queue_option}"
    yield "The progress, and the rows:"
    argument = "" if address is None else f" {address}"
    yield f"  lix run status{argument}"
    yield f"  lix run export{argument} --out rows.jsonl"


Queue = Literal["pgqueuer", "procrastinate"]


_PACKAGE = f"{__name__.partition('.')[0]}.integrations"


def load_adapter(queue: Queue) -> JobQueue[object]:
    """Import the module of a queue.

    Raises:
        ConfigurationError: Its extra is not installed.
    """
    return cast("JobQueue[object]", import_module(f"{_PACKAGE}.{queue}").adapter)


def require_server(address: str, command: str) -> str:
    """Check that workers can share a ledger, and return its address.

    Raises:
        CommandError: The ledger is a file.
    """
    if not is_server(address):
        found = f"{display_address(address)} is a file" if address else "no ledger was given"
        raise CommandError(
            f"{command} needs PostgreSQL, but {found}",
            hint="use --store postgresql://USER@HOST/DATABASE, or set LIX_STORE",
        )
    return address


async def queue_lookups(
    address: str, lookups: Iterable[tuple[LookupKind, LookupTarget]], queue: Queue = "pgqueuer"
) -> int:
    """Queue lookups for `lix worker`.

    Inputs are queued as given. A lookup that the ledger already has costs nothing when it is
    queued again.

    Returns:
        The number of chunks.

    Raises:
        CommandError: The address is not a PostgreSQL, or cannot be used.
        ConfigurationError: The extra of the queue is not installed.
    """
    adapter, address = load_adapter(queue), require_server(address, "a queue")
    inputs: dict[LookupKind, list[Input]] = {}
    for kind, target in lookups:
        inputs.setdefault(kind, []).append(method_input(kind, target))
    try:
        return sum(
            [await adapter.submit(address, LOOKUPS[kind].method, inputs[kind]) for kind in inputs]
        )
    except BulkError as error:
        raise ledger_error(error, address) from None
