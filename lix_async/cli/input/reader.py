"""The distinct targets of a file, for commands that hold all of them."""

from __future__ import annotations

from .lookup_kinds import LookupKind
from .table import TableTargets, open_table
from .targets import LookupTarget


class InputFile:
    """The targets in a file: each once, in the order of the file."""

    def __init__(self, found: TableTargets) -> None:
        targets: dict[str, LookupTarget] = {}
        self.column = found.column
        self.noun = "website" if found.has_websites else "link"
        """What messages call a target."""
        self.rows = 0
        self.unusable = 0
        """Rows without a link or an address of an accepted kind."""
        for _, target, _ in found:
            self.rows += 1
            if target is None:
                self.unusable += 1
            else:
                targets.setdefault(target.key, target)
        self.targets = list(targets.values())


def read(path: str, column: str | None, kinds: frozenset[LookupKind]) -> InputFile:
    """Read the targets from a file.

    Args:
        path: The file, or `-` for stdin.
        column: The column with the links; None to choose the one with most of them.
        kinds: The accepted kinds of target; others are skipped.

    Raises:
        CommandError: The file cannot be read, has no such column, or has no targets.
    """
    return InputFile(TableTargets(open_table(path), column, kinds))
