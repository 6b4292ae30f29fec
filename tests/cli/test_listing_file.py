"""A walk's file and its checkpoint: cut at any byte, a later run goes on without loss or repeat."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from lix_async import Checkpoint
from lix_async.cli.errors import CommandError
from lix_async.cli.output.files import AppendFile
from lix_async.cli.output.listing_file import ResumableListingFile, checkpoint_path, load
from lix_async.cli.output.rows import CsvEncoder, JsonlEncoder, RowEncoder
from lix_async.cli.output.schema import RowSchema
from lix_async.engine.checkpoint import PaginationStats
from lix_async.providers.lix.models import Person

PAGES = [[f'{{"name":"=P{page}{row}"}}'.encode() for row in range(3)] for page in range(3)]


def point(page: int) -> Checkpoint:
    none = msgspec.Raw(b"[]")
    return Checkpoint(
        endpoint="search.people", origin="x", params=msgspec.Raw(b"{}"), pending=none, offset=page * 3,
        empty_page_confirmed=False, seen_ids=(), pages=(), stats=PaginationStats(pages=page),
    )  # fmt: skip


def form(kind: str) -> RowEncoder:
    return CsvEncoder(RowSchema(Person)) if kind == "csv" else JsonlEncoder(RowSchema(Person))


def begun(path: Path, kind: str) -> ResumableListingFile:
    return ResumableListingFile(AppendFile.create(path), form(kind), kind, "search.people")


def resumed(path: Path, kind: str) -> ResumableListingFile:
    entry = load(path)
    assert entry is not None
    journal = ResumableListingFile(AppendFile.open(path), form(kind), kind, "search.people")
    journal.take_up(entry)
    return journal


@pytest.fixture(params=["jsonl", "csv"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def whole(tmp_path: Path, kind: str) -> bytes:
    journal = begun(tmp_path / "whole", kind)
    for page, rows in enumerate(PAGES):
        journal.put(rows, point(page + 1))
        journal.write()
    journal.file.close()
    return (tmp_path / "whole").read_bytes()


def test_at_every_byte_of_every_page(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    expected = whole(tmp_path, kind)
    for stop, _ in enumerate(PAGES):
        path = tmp_path / f"{stop}"
        journal = begun(path, kind)
        for page in range(stop + 1):
            journal.put(PAGES[page], point(page + 1))
            before = journal.file.size
            journal.write()
        journal.file.close()
        written, beside = path.read_bytes(), checkpoint_path(path).read_bytes()
        step = 1 if kind == "jsonl" else 7  # a line of a CSV has hundreds of empty cells
        for cut in {*range(before, len(written), step), len(written)}:
            path.write_bytes(written[:cut])
            checkpoint_path(path).write_bytes(beside)
            again = resumed(path, kind)
            assert again.walk == point(stop + 1)
            again.write()
            for page in range(stop + 1, len(PAGES)):
                again.put(PAGES[page], point(page + 1))
                again.write()
            again.file.close()
            assert path.read_bytes() == expected


def test_rows_beyond_a_limit_wait_for_a_higher_one(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    journal = begun(path, kind)
    journal.put(PAGES[0], point(1))
    assert journal.write(1) == 1
    journal.save()
    journal.file.close()
    again = resumed(path, kind)
    assert (again.written, again.owed) == (1, PAGES[0][1:])
    again.write()
    for page in (1, 2):
        again.put(PAGES[page], point(page + 1))
        again.write()
    again.finish()
    again.file.close()
    assert path.read_bytes() == whole(tmp_path, kind)
    assert load(path) is None


@pytest.mark.parametrize("change", [b"", b"short", b"other content that is longer than before" * 5])
def test_a_file_that_somebody_changed_is_left_alone(tmp_path: Path, change: bytes) -> None:
    path = tmp_path / "a"
    journal = begun(path, "jsonl")
    for page in (0, 1):
        journal.put(PAGES[page], point(page + 1))
        journal.write()
    journal.file.close()
    path.write_bytes(change)
    with pytest.raises(CommandError, match="was changed"):
        resumed(path, "jsonl")
    assert path.read_bytes() == change


def test_another_format_or_listing_does_not_go_on(tmp_path: Path) -> None:
    path = tmp_path / "a"
    journal = begun(path, "jsonl")
    journal.put(PAGES[0], point(1))
    journal.file.close()
    entry = load(path)
    assert entry is not None
    file = AppendFile.open(path)
    for other, match in (
        (ResumableListingFile(file, form("csv"), "csv", "search.people"), "another format"),
        (
            ResumableListingFile(
                file, JsonlEncoder(RowSchema(Person), ("name",)), "jsonl", "search.people"
            ),
            "other columns",
        ),
        (ResumableListingFile(file, form("jsonl"), "jsonl", "search.jobs"), "search.people"),
    ):
        with pytest.raises(CommandError, match=match):
            other.take_up(entry)
    file.close()


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b'{"version":99}', b"\xff"])
def test_what_is_no_checkpoint_is_told(tmp_path: Path, data: bytes) -> None:
    checkpoint_path(tmp_path / "a").write_bytes(data)
    with pytest.raises(CommandError, match="not a checkpoint"):
        load(tmp_path / "a")


def test_the_checkpoint_is_its_owners_alone(tmp_path: Path) -> None:
    journal = begun(tmp_path / "a", "jsonl")
    journal.put(PAGES[0], point(1))
    journal.file.close()
    assert checkpoint_path(tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "a.checkpoint"]
