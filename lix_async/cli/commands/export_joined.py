"""`lix run export --joined FILE`: the rows of a file, with what a ledger has for them beside."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import cast

from ...ledger.records import Export
from ...ledger.store import Store
from ...providers.lix.client import AsyncLix
from ...waterfall import Order
from ..errors import CommandError
from ..input.lookup_kinds import LookupKind
from ..input.table import TableTargets, open_table
from ..input.target_calls import TargetCallPreparer
from ..input.targets import accepted_kinds
from ..ledger.joined import Joiner
from ..options import CONNECTION_DEFAULTS, TableOptions
from ..output.destination import place_of
from ..output.files import StagedOutput
from ..output.joined_file import JoinedOutput
from ..output.joined_row import AnswerGroup, JoinedRow, JoinedTable, OwnColumns
from ..runtime.activity import ActivityMonitor
from .enrich_columns import EXPORTED, ColumnPlan, JoinedOptions
from .enrich_inputs import run_name
from .waterfall_rows import EXPORTED as WATERFALL
from .waterfall_rows import KnownAnswers, KnownRows, WaterfallOptions, added_columns, export_text


async def export_joined(
    store: Store,
    address: str,
    lix: AsyncLix,
    file: str,
    given: TableOptions,
    joined: JoinedOptions,
    *,
    overwrite: bool,
) -> Counter[str]:
    """Write the rows of a file that `lix enrich` or `lix waterfall` has looked up.

    Nothing is looked up.

    Args:
        store: The open ledger.
        address: Its address.
        lix: A client, which makes no call.
        file: The file.
        given: How it is read.
        joined: The output; what was looked up is that of the file's latest run.
        overwrite: Whether an existing output is replaced.

    Returns:
        The number of rows by status, of the first kind of lookup.

    Raises:
        CommandError: The ledger has no run of this file, or the output cannot be written.
    """
    with StagedOutput(joined.out, overwrite=overwrite):  # that it can be written
        pass
    exports = await store.statement(lambda tables: tables.exports(), writes=False)
    match = _latest_run(exports, file)
    if match.re is WATERFALL:
        return await _export_waterfall(store, address, file, given, joined, match)
    run, kinds = match["run"], _kinds(match["kinds"])
    targets = TableTargets(
        open_table(file, sheet=given.sheet, websites="website" in kinds),
        given.column,
        accepted_kinds(*kinds),
        handles=given.handles,
    )
    _check_file(file, run_name(file, kinds, targets, given.sheet or "") == run, "enrich")
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
    return await _write(
        store, joined, table, joined.export_text(run, targets.column), joiner.batches
    )


async def _export_waterfall(
    store: Store,
    address: str,
    file: str,
    given: TableOptions,
    joined: JoinedOptions,
    match: re.Match[str],
) -> Counter[str]:
    from .waterfall import KINDS, WaterfallClients  # late: other exports need no providers

    table = open_table(file, sheet=given.sheet)
    targets = TableTargets(table, given.column, KINDS, handles=given.handles)
    name = run_name(file, ["waterfall"], targets, given.sheet or "")
    _check_file(file, name == match["run"], "waterfall")
    providers = match["providers"] or ""
    options = WaterfallOptions(
        out=joined.out,
        format=joined.format,
        wanted=tuple(match["wanted"].split(",")),
        prefix=joined.prefix,
        columns=joined.columns,
        limit=None,
        bom=joined.bom,
        quiet=joined.quiet,
        run_name=match["run"],
        providers=tuple(filter(None, providers.split(","))),
        order=cast("Order", match["order"] or "given"),
    )
    columns = added_columns(options)
    rows = JoinedTable(OwnColumns(table), [AnswerGroup(options.prefix, None, columns, "")])
    rows.check_names(as_json=options.format in ("jsonl", "parquet"))
    sources = WaterfallClients(CONNECTION_DEFAULTS, providers or None, address, is_dry=True)
    sources.open(CONNECTION_DEFAULTS, ActivityMonitor())
    async with sources:
        known = KnownAnswers(sources.known_steps(), options.wanted, options.order)
        # Nothing is asked: what the ledger does not have stands there as `not_asked`.
        found = KnownRows(targets, known, options.wanted, columns, 0, sources.store)
        return await _write(store, joined, rows, export_text(options), found.batches)


async def _write(
    store: Store,
    joined: JoinedOptions,
    table: JoinedTable,
    what: str,
    batches: Callable[[int], AsyncIterator[list[JoinedRow]]],
) -> Counter[str]:
    output = JoinedOutput(joined.out, joined.format, table, bom=joined.bom)
    await store.add_export(place_of(joined.out), what)
    if joined.out is None:
        output.open(None)
    counts = await output.write_all(batches)
    return counts[0]


def _check_file(file: str, is_same: bool, command: str) -> None:
    if not is_same:
        raise CommandError(
            f"{file} is not as it was when it was looked up",
            hint="pass the file of that run, with the same --column and --sheet; "
            f"`lix {command}` looks up what is new in it",
        )


def _kinds(text: str) -> tuple[LookupKind | None, ...]:
    return tuple(None if name == "auto" else cast("LookupKind", name) for name in text.split(","))


def _latest_run(exports: Sequence[Export], file: str) -> re.Match[str]:
    """What was noted about the latest output of a file."""
    place = str(Path(file).resolve())
    for one in reversed(exports):
        match = EXPORTED.fullmatch(one.what) or WATERFALL.match(one.what)
        if match is not None and match["run"].rpartition(" ")[0] == place:
            return match
    raise CommandError(
        f"the ledger has no run of {file}",
        hint="pass the file that `lix enrich` or `lix waterfall` was given; `lix ledger list` "
        "shows the runs",
    )
