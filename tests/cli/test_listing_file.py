"""The file of a listing and its checkpoint: truncated at any byte, a later run continues."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from lix_async import Checkpoint
from lix_async.cli.errors import CommandError
from lix_async.cli.output.files import AppendFile
from lix_async.cli.output.listing_file import ResumableListingFile, checkpoint_path, load_state
from lix_async.cli.output.rows import CsvEncoder, JsonlEncoder, RowEncoder
from lix_async.cli.output.schema import RowSchema
from lix_async.engine.checkpoint import PaginationStats
from lix_async.providers.lix.models import Person

PAGES = [[f'{{"name":"=P{page}{row}"}}'.encode() for row in range(3)] for page in range(3)]


def position(page: int) -> Checkpoint:
    none = msgspec.Raw(b"[]")
    return Checkpoint(
        endpoint="search.people", origin="x", params=msgspec.Raw(b"{}"), pending=none, offset=page * 3,
        empty_page_confirmed=False, seen_ids=(), pages=(), stats=PaginationStats(pages=page),
    )  # fmt: skip


def encoder(kind: str) -> RowEncoder:
    return CsvEncoder(RowSchema(Person)) if kind == "csv" else JsonlEncoder(RowSchema(Person))


def created(path: Path, kind: str) -> ResumableListingFile:
    return ResumableListingFile(AppendFile.create(path), encoder(kind), kind, "search.people")


def resumed(path: Path, kind: str) -> ResumableListingFile:
    state = load_state(path)
    assert state is not None
    output = ResumableListingFile(AppendFile.open(path), encoder(kind), kind, "search.people")
    output.resume(state)
    return output


@pytest.fixture(params=["jsonl", "csv"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def whole(tmp_path: Path, kind: str) -> bytes:
    output = created(tmp_path / "whole", kind)
    for page, rows in enumerate(PAGES):
        output.add_page(rows, position(page + 1))
        output.write()
    output.file.close()
    return (tmp_path / "whole").read_bytes()


def test_a_file_cut_at_any_byte_is_continued(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    expected = whole(tmp_path, kind)
    for stop, _ in enumerate(PAGES):
        path = tmp_path / f"{stop}"
        output = created(path, kind)
        for page in range(stop + 1):
            output.add_page(PAGES[page], position(page + 1))
            before = output.file.size
            output.write()
        output.file.close()
        written, saved = path.read_bytes(), checkpoint_path(path).read_bytes()
        step = 1 if kind == "jsonl" else 7  # a row of a CSV has hundreds of empty cells
        for cut in {*range(before, len(written), step), len(written)}:
            path.write_bytes(written[:cut])
            checkpoint_path(path).write_bytes(saved)
            again = resumed(path, kind)
            assert again.checkpoint == position(stop + 1)
            again.write()
            for page in range(stop + 1, len(PAGES)):
                again.add_page(PAGES[page], position(page + 1))
                again.write()
            again.file.close()
            assert path.read_bytes() == expected


def test_rows_beyond_a_limit_are_written_later(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    output = created(path, kind)
    output.add_page(PAGES[0], position(1))
    assert output.write(1) == 1
    output.save()
    output.file.close()
    again = resumed(path, kind)
    assert (again.written, again.pending) == (1, PAGES[0][1:])
    again.write()
    for page in (1, 2):
        again.add_page(PAGES[page], position(page + 1))
        again.write()
    again.finish()
    again.file.close()
    assert path.read_bytes() == whole(tmp_path, kind)
    assert load_state(path) is None


@pytest.mark.parametrize("change", [b"", b"short", b"other content that is longer than before" * 5])
def test_a_changed_file_is_rejected(tmp_path: Path, change: bytes) -> None:
    path = tmp_path / "a"
    output = created(path, "jsonl")
    for page in (0, 1):
        output.add_page(PAGES[page], position(page + 1))
        output.write()
    output.file.close()
    path.write_bytes(change)
    with pytest.raises(CommandError, match="was changed"):
        resumed(path, "jsonl")
    assert path.read_bytes() == change


def test_another_format_or_listing_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a"
    output = created(path, "jsonl")
    output.add_page(PAGES[0], position(1))
    output.file.close()
    state = load_state(path)
    assert state is not None
    file = AppendFile.open(path)
    for other, match in (
        (ResumableListingFile(file, encoder("csv"), "csv", "search.people"), "another format"),
        (
            ResumableListingFile(
                file, JsonlEncoder(RowSchema(Person), ("name",)), "jsonl", "search.people"
            ),
            "other columns",
        ),
        (ResumableListingFile(file, encoder("jsonl"), "jsonl", "search.jobs"), "search.people"),
    ):
        with pytest.raises(CommandError, match=match):
            other.resume(state)
    file.close()


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b'{"version":99}', b"\xff"])
def test_an_invalid_checkpoint_is_reported(tmp_path: Path, data: bytes) -> None:
    checkpoint_path(tmp_path / "a").write_bytes(data)
    with pytest.raises(CommandError, match="not a checkpoint"):
        load_state(tmp_path / "a")


def test_the_checkpoint_is_private(tmp_path: Path) -> None:
    output = created(tmp_path / "a", "jsonl")
    output.add_page(PAGES[0], position(1))
    output.file.close()
    assert checkpoint_path(tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "a.checkpoint"]
