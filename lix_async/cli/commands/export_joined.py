"""`lix run export --joined FILE`: the rows of a file, with what a ledger has for them beside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from ...ledger.records import Export
from ...ledger.store import Store
from ...providers.lix.client import AsyncLix
from ..errors import CommandError
from ..input.lookup_kinds import LookupKind
from ..input.table import TableTargets, open_table
from ..input.target_calls import TargetCallPreparer
from ..ledger.joined import Joiner
from ..options import TableOptions
from ..output.destination import place_of
from ..output.files import StagedOutput
from ..output.joined_file import JoinedOutput
from ..output.joined_row import JoinedTable, OwnColumns
from .enrich_columns import EXPORTED, ColumnPlan, JoinedOptions
from .enrich_inputs import accepted_kinds, run_name


async def export_joined(
    store: Store,
    lix: AsyncLix,
    file: str,
    given: TableOptions,
    joined: JoinedOptions,
    *,
    overwrite: bool,
) -> Counter[str]:
    """Write the rows of a file that `lix enrich` has looked up. Nothing is looked up.

    Args:
        store: The open ledger.
        lix: A client, which makes no call.
        file: The file.
        given: How it is read.
        joined: The output; the kinds of lookup are those of the file's latest run.
        overwrite: Whether an existing output is replaced.

    Returns:
        The number of rows by status, of the first kind of lookup.

    Raises:
        CommandError: The ledger has no run of this file, or the output cannot be written.
    """
    with StagedOutput(joined.out, overwrite=overwrite):  # that it can be written
        pass
    exports = await store.statement(lambda tables: tables.exports(), writes=False)
    run, kinds = _latest_run(exports, file)
    targets = TableTargets(
        open_table(file, sheet=given.sheet, websites="website" in kinds),
        given.column,
        accepted_kinds(kinds),
        handles=given.handles,
    )
    if run_name(file, kinds, targets, given.sheet or "") != run:
        raise CommandError(
            f"{file} is not as it was when it was looked up",
            hint="pass the file of that run, with the same --column and --sheet; "
            "`lix enrich` looks up what is new in it",
        )
    joined = JoinedOptions(
        out=joined.out,
        format=joined.format,
        kinds=kinds,
        prefix=joined.prefix,
        columns=joined.columns,
        limit=None,
        bom=joined.bom,
        quiet=joined.quiet,
    )
    plan = ColumnPlan(joined, run, targets, (), ())
    table = JoinedTable(OwnColumns(targets.table), plan.groups)
    table.check_names(as_json=joined.format in ("jsonl", "parquet"))
    preparers: dict[LookupKind | None, TargetCallPreparer] = {
        group.kind: TargetCallPreparer(lix, group.kind) for group in plan.groups
    }
    joiner = Joiner(store, targets, plan.groups, (), preparers, None)
    output = JoinedOutput(joined.out, joined.format, table, bom=joined.bom)
    await store.add_export(place_of(joined.out), joined.export_text(run))
    if joined.out is None:
        output.open(None)
    counts = await output.write_all(joiner.batches)
    return counts[0]


def _latest_run(exports: Sequence[Export], file: str) -> tuple[str, tuple[LookupKind | None, ...]]:
    """The name of the latest run of a file, and its kinds of lookup."""
    place = str(Path(file).resolve())
    for one in reversed(exports):
        match = EXPORTED.fullmatch(one.what)
        if match is not None and match["run"].rpartition(" ")[0] == place:
            kinds: list[LookupKind | None] = [
                None if name == "auto" else cast("LookupKind", name)
                for name in match["kinds"].split(",")
            ]
            return match["run"], tuple(kinds)
    if any(one.what.startswith(f"lix waterfall {place} ") for one in exports):
        raise CommandError(
            f"the rows of {file} come from several providers",
            hint="run `lix waterfall` with another --out: what is known costs nothing",
        )
    raise CommandError(
        f"the ledger has no run of {file}",
        hint="pass the file that `lix enrich` was given; `lix ledger list` shows the runs",
    )
