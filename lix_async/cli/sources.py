"""The providers that `lix waterfall` asks: a client for each whose key is in the environment."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import cast

import msgspec

from ..core.errors import TransportError
from ..core.provider import address
from ..core.retry import RetryPolicy
from ..engine.client import Client
from ..providers.lix.client import AsyncLix
from ..waterfall import Found, Profile, Step, Target, installed, steps_of
from . import connect
from .errors import AUTH, CommandError
from .options import Connection, parsed_columns
from .watch import Patience, Pauses, Stopped, Watch

_LIX = "lix"


class Sources:
    """Clients, opened and closed together."""

    def __init__(self, connection: Connection, named: str | None) -> None:
        self.notes: list[str] = []
        """What to tell of providers that were not asked."""
        self._connection = connection
        self._clients: list[Client] = []
        self._stack = AsyncExitStack()
        self._adapters = installed()
        self._names = parsed_columns(named)
        if unknown := set(self._names or ()) - set(self._adapters):
            raise CommandError(
                f"--providers does not know {', '.join(sorted(unknown))}",
                hint=f"there are: {', '.join(self._adapters)}",
            )

    def open(self, connection: Connection, watch: Watch) -> AsyncLix:
        """Make the clients. What comes back is opened and closed by a session like a client."""
        for name in self._names or self._adapters:
            adapter = self._adapters[name]
            provider = adapter.CLIENT.provider
            if not self._has_key(name):
                if self._names:
                    raise CommandError(f"no key: set {provider.key_variables[0]}", code=AUTH)
            elif adapter.NOTE:
                self.notes.append(f"{name} was not asked: {adapter.NOTE}")
            elif name == _LIX:
                self._clients.append(connect.client(connection, watch))
            else:
                self._clients.append(_client(adapter.CLIENT, watch))
        if not self._clients:
            variables = (a.CLIENT.provider.key_variables[0] for a in self._adapters.values())
            raise CommandError(f"no API key: set one of {', '.join(variables)}", code=AUTH)
        # A session does with its client no more than this.
        return cast("AsyncLix", self)

    def steps(self, watch: Watch) -> list[Step]:
        """The steps of all clients; none of them begins once the person asked to stop."""
        return [_stoppable(step, watch) for one in self._clients for step in steps_of(one)]

    def _has_key(self, name: str) -> bool:
        """Only a provider's own variable counts: LookC would take the key of Lix as well."""
        if name == _LIX and self._connection.api_key_stdin:
            return True
        url = connect.base_url(self._connection)
        if name == _LIX and address(url).loopback:
            return True
        variables = self._adapters[name].CLIENT.provider.key_variables
        return bool(os.environ.get(variables[0], "").strip())

    async def __aenter__(self) -> Sources:
        for client in self._clients:
            await self._stack.enter_async_context(client)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()


def row_of(result: Profile, kind: str, status: str, fields: Sequence[str]) -> bytes:
    """A result as a row of the output; it begins as those of `lix enrich` do."""
    row: dict[str, object] = {"input": result.target.text, "kind": kind, "status": status}
    row |= {name: result.get(name) for name in fields}
    row |= {"credits": result.credits, "sources": result.sources}
    errors = {name: str(error) for name, error in result.errors.items()}
    return msgspec.json.encode(row | {"errors": errors})


def _client(kind: type[Client], watch: Watch) -> Client:
    """A client at its provider's own pace whose waiting can be seen and stopped."""
    make = cast("Callable[..., Client]", kind)
    patience = {name: getattr(RetryPolicy(), name) for name in RetryPolicy.__struct_fields__}
    return make(retry=Patience(**patience, watch=watch), clock=Pauses(watch))


def _stoppable(step: Step, watch: Watch) -> Step:
    look: Callable[[Target], Awaitable[Found]] = step.look

    async def unless_stopped(target: Target) -> Found:
        # As an error of the step, so that what others were paid for still becomes a row.
        try:
            if not watch.stopping:
                return await look(target)
        except Stopped:
            pass
        raise TransportError("not asked: the run was stopped", endpoint=step.endpoint)

    return msgspec.structs.replace(step, look=unless_stopped)
