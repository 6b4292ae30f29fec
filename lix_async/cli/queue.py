"""`lix enrich --store postgresql://…`: hand the links to whoever runs `lix worker`."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol, cast

from ..bulk.prepared_call import Input
from ..bulk.stores import open_store
from ..concurrency.clock import RealClock
from ..core.errors import BulkError, ConfigurationError
from ..engine.client import Client
from . import console
from .errors import OK, REFUSED, CommandError
from .input.reader import InputFile
from .input.targets import LOOKUPS, LookupKind, LookupTarget, lookup_kind, method_input
from .ledger.address import VARIABLE, display_address, on_server, redact_password, shell_argument
from .options import CONNECTION_DEFAULTS, ROW_DEFAULTS, ConnectionOptions, RowOutputOptions
from .text import plural

if TYPE_CHECKING:
    import anyio

Whose = Literal["worker", "export", "nobody"]
_BELONG: dict[Whose, str] = {
    "worker": "`lix worker` takes {}",
    "export": "`lix run export` takes {}",
    "nobody": "{} is only for a ledger in a file",
}


def reject_ineffective_options(
    whose: dict[Whose, dict[str, bool]], output: RowOutputOptions, connection: ConnectionOptions
) -> None:
    """Refuse options that do nothing where links only go to a queue.

    `whose`: the command's own options by the command that has them, and whether each was given;
    those of an output and of a connection are looked at here. Raises `CommandError`.
    """
    whose["export"] = _given(output, ROW_DEFAULTS, ("out", "format", "columns"))
    names = tuple(connection.__dataclass_fields__)
    whose["worker"] |= _given(connection, CONNECTION_DEFAULTS, names)
    found: dict[Whose, list[str]] = {
        to: [name for name, given in whose[to].items() if given] for to in _BELONG
    }
    every = [name for names in found.values() for name in names]
    if every:
        raise CommandError(
            f"{_listed(every)} {'does' if len(every) == 1 else 'do'} nothing here: with "
            "--store postgresql://… the links only go to a queue",
            hint="; ".join(
                _BELONG[to].format(_listed(names)) for to, names in found.items() if names
            ),
        )


def typed(option: str) -> bool:
    """Whether an option stands in the command line, be it with its default."""
    return any(one == option or one.startswith(f"{option}=") for one in console.arguments.get())


def _given(options: object, defaults: object, names: tuple[str, ...]) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for name in names:
        option = f"--{name.replace('_', '-')}"
        changed = getattr(options, name) != getattr(defaults, name)
        found[option] = changed or typed(option)
    return found


def _listed(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


async def submit(
    address: str, queue: Queue, wanted: LookupKind | None, inputs: InputFile, *, quiet: bool = False
) -> int:
    """Make the ledger if there is none, and queue every link; what to do next is on stderr.

    Raises `CommandError` where the database cannot be used; nothing of the address's password is
    in it.
    """
    lookups: list[tuple[LookupKind, LookupTarget]] = [
        (lookup_kind(wanted, known), known) for known in inputs.targets
    ]
    try:
        await _made(address)
        chunks = await queue_lookups(address, lookups, queue)
    except ConfigurationError as error:
        raise CommandError(redact_password(str(error), address)) from None
    except BulkError as error:
        raise CommandError(redact_password(str(error), address), code=REFUSED) from None
    if not quiet:
        links = f"{len(lookups):,} {plural(len(lookups), 'link')}"
        console.print_note(
            f"{links} submitted in {chunks:,} {plural(chunks, 'chunk')}. {_next(address)}"
        )
        console.print_note("\n".join(_commands(shell_argument(address), queue)))
    return OK


async def _made(address: str) -> None:
    """The ledger's tables: so that it can be looked at before the first worker has come."""
    store = open_store(address)
    await store.open("", RealClock.wall())
    await store.close()


def _next(address: str) -> str:
    if shell_argument(address) is not None:
        return "On any number of machines:"
    return f"Put the address, which has a password, in {VARIABLE}; on any number of machines:"


def _commands(place: str | None, queue: Queue) -> Iterator[str]:
    option = "" if queue == "pgqueuer" else f" --queue {queue}"
    yield f"  lix worker{'' if place is None else f' --store {place}'}{option}"
    yield "How it stands, and the rows when they are there:"
    where = "" if place is None else f" {place}"
    yield f"  lix run status{where}"
    yield f"  lix run export{where} --out rows.jsonl"


Queue = Literal["pgqueuer", "procrastinate"]


_PACKAGE = f"{__name__.partition('.')[0]}.integrations"


class QueueAdapter(Protocol):
    """What every queue's module offers."""

    def submit(self, dsn: str, method: str, inputs: Iterable[Input]) -> Awaitable[int]:
        """Queue inputs for a method; how many chunks they make."""
        ...

    def worker(
        self,
        dsn: str,
        client: Client,
        *,
        concurrency: int,
        doubts: Literal["hold", "retry"],
        heartbeat: float,
        max_credits: int | None,
        stop: anyio.Event,
    ) -> Awaitable[None]:
        """Work on chunks until the stop."""
        ...


def adapter(queue: Queue) -> QueueAdapter:
    """A queue's module. Raises `ConfigurationError` where its extra is not installed."""
    return cast("QueueAdapter", import_module(f"{_PACKAGE}.{queue}"))


def server(address: str, command: str) -> str:
    """An address that workers can share. Raises `CommandError` for a file."""
    if not on_server(address):
        raise CommandError(
            f"{command} needs a PostgreSQL, and {display_address(address)} is a file",
            hint="--store postgresql://USER@HOST/DATABASE, or LIX_STORE",
        )
    return address


async def queue_lookups(
    address: str, lookups: Iterable[tuple[LookupKind, LookupTarget]], queue: Queue = "pgqueuer"
) -> int:
    """Queue lookups for `lix worker`; how many chunks they make.

    Inputs go as they were given. What the ledger knows already costs nothing when it comes again,
    in whatever spelling. Raises `CommandError` when the address is no PostgreSQL, or cannot be
    used, and `ConfigurationError` where the queue's extra is not installed.
    """
    found, address = adapter(queue), server(address, "a queue")
    inputs: dict[LookupKind, list[Input]] = {}
    for kind, target in lookups:
        inputs.setdefault(kind, []).append(method_input(kind, target))
    try:
        return sum(
            [await found.submit(address, LOOKUPS[kind].method, inputs[kind]) for kind in inputs]
        )
    except BulkError as error:
        raise CommandError(redact_password(str(error), address), code=REFUSED) from None
