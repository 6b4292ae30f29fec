"""The queues that hand lookups out to workers, and the way from targets to their chunks."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol, cast

from ..bulk.calls import Input
from ..core.errors import BulkError
from ..engine.client import Client
from .errors import REFUSED, CommandError
from .kinds import Kind
from .ledger import on_server, scrubbed, shown
from .links import Target

if TYPE_CHECKING:
    import anyio

Queue = Literal["pgqueuer", "procrastinate"]
METHODS: dict[Kind, str] = {
    "person": "people.get",
    "org": "organisations.get",
    "email": "contact.email",
}
"""The method of `AsyncLix` that answers for each kind of lookup."""
_PACKAGE = f"{__name__.partition('.')[0]}.integrations"


class Adapter(Protocol):
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


def adapter(queue: Queue) -> Adapter:
    """A queue's module. Raises `ConfigurationError` where its extra is not installed."""
    return cast("Adapter", import_module(f"{_PACKAGE}.{queue}"))


def server(address: str, command: str) -> str:
    """An address that workers can share. Raises `CommandError` for a file."""
    if not on_server(address):
        raise CommandError(
            f"{command} needs a PostgreSQL, and {shown(address)} is a file",
            hint="--store postgresql://USER@HOST/DATABASE, or LIX_STORE",
        )
    return address


async def submit(
    address: str, lookups: Iterable[tuple[Kind, Target]], queue: Queue = "pgqueuer"
) -> int:
    """Queue lookups for `lix worker`; how many chunks they make.

    Inputs go as they were given. What the ledger knows already costs nothing when it comes again,
    in whatever spelling. Raises `CommandError` when the address is no PostgreSQL, or cannot be
    used, and `ConfigurationError` where the queue's extra is not installed.
    """
    found, address = adapter(queue), server(address, "a queue")
    inputs: dict[Kind, list[Input]] = {}
    for kind, target in lookups:
        inputs.setdefault(kind, []).append(input_for(kind, target))
    try:
        return sum([await found.submit(address, METHODS[kind], inputs[kind]) for kind in inputs])
    except BulkError as error:
        raise CommandError(scrubbed(str(error), address), code=REFUSED) from None


def input_for(kind: Kind, target: Target) -> Input:
    """A target as the first argument of its method, or as the keyword argument that it needs."""
    if kind == "person" and target.kind == "email":
        return {"email": target.sent}
    if kind == "org" and target.sales:
        return {"sales_nav_url": target.sent}
    return target.sent
