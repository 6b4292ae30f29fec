"""The inputs of a run that consists of single calls, several of which may belong to one input.

A run over one method numbers its inputs itself. Where the calls of several cached clients together
make the outcome of an input, as in a waterfall, they are made in the block of that input: what they
buy is paid by the run, and the ledger notes which lookups the input has led to.
"""

from __future__ import annotations

import zlib
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from ..ledger.records import InputRow
from ..ledger.store import Store

CALLS = 64
"""Numbers that each input has in the ledger: one for each endpoint. Where two endpoints have the
same one, the ledger gives the second another number."""
_AT_ONCE = 500


class RunInputs:
    """The inputs of a run in a ledger.

    Args:
        store: The ledger, open.
        run: The ledger's number of the run.
    """

    def __init__(self, store: Store, run: int) -> None:
        self.run = run
        self._store = store
        self._found: list[InputRow] = []

    @contextmanager
    def calls_for(self, position: int) -> Generator[None]:
        """A block whose calls are made for an input.

        Args:
            position: The input's place among all of them, from 1 on.
        """
        token = _CURRENT.set(RunInput(self, position))
        try:
            yield
        finally:
            _CURRENT.reset(token)

    def add(self, number: int, lookup: int) -> None:
        """Note that an input led to a lookup that the ledger had already."""
        self._found.append(InputRow(number, lookup))
        if len(self._found) >= _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Hand what was noted to the ledger."""
        found, self._found = self._found, []
        if found:
            self._store.post_inputs(self.run, found)


class RunInput:
    """The input that calls are made for."""

    __slots__ = ("_position", "inputs")

    def __init__(self, inputs: RunInputs, position: int) -> None:
        self.inputs = inputs
        self._position = position

    def number(self, endpoint: str) -> int:
        """Its number in the ledger for the call of an endpoint."""
        return (self._position - 1) * CALLS + zlib.crc32(endpoint.encode()) % CALLS + 1

    def found(self, endpoint: str, lookup: int) -> None:
        """Note a lookup of an endpoint that the ledger had already."""
        self.inputs.add(self.number(endpoint), lookup)


_CURRENT: ContextVar[RunInput | None] = ContextVar("lix_async_run_input", default=None)


def current_input() -> RunInput | None:
    """The input that calls are made for here; None outside of a run's block."""
    return _CURRENT.get()
