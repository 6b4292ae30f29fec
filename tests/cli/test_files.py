"""Files with personal data: private, no symbolic links, replaced atomically."""

from __future__ import annotations

import csv
import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async.cli.errors import CommandError
from lix_async.cli.output.files import AppendFile, read_file, replace_file
from lix_async.cli.output.lookup_file import _record_ends, read_existing_output


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_files_are_private(tmp_path: Path) -> None:
    file = AppendFile.create(tmp_path / "a")
    file.append(b"x")
    file.close()
    replace_file(tmp_path / "b", b"y")
    assert (mode(tmp_path / "a"), mode(tmp_path / "b")) == (0o600, 0o600)


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"precious")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    for attempt in (AppendFile.create, AppendFile.open, read_file):
        with pytest.raises(CommandError, match="symbolic link"):
            attempt(link)
    with pytest.raises(CommandError, match="symbolic link"):
        AppendFile.create(link, overwrite=True)
    replace_file(link, b"new")  # replaces the link, not its target
    assert (tmp_path / "target").read_bytes() == b"precious"
    assert not link.is_symlink()


def test_a_full_disk_leaves_no_half_of_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    file = AppendFile.create(path)
    file.append(b"a,b\n")
    write = os.write

    def write_some(fd: int, data: memoryview) -> int:
        if len(data) < 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data[:2])

    monkeypatch.setattr(os, "write", write_some)
    with pytest.raises(CommandError, match="No space left"):
        file.append(b"1,2\n")
    assert path.read_bytes() == b"a,b\n"
    monkeypatch.undo()
    file.append(b"3,4\n")
    file.close()
    assert path.read_bytes() == b"a,b\n3,4\n"


def test_an_existing_file_is_kept_without_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o644)
    with pytest.raises(CommandError, match="File exists"):
        AppendFile.create(path)
    AppendFile.create(path, overwrite=True).close()
    assert (path.read_bytes(), mode(path)) == (b"", 0o600)


def test_a_second_writer_is_rejected(tmp_path: Path) -> None:
    first = AppendFile.create(tmp_path / "a")
    with pytest.raises(CommandError, match="another program"):
        AppendFile.open(tmp_path / "a")
    first.close()
    AppendFile.open(tmp_path / "a").close()


def test_a_folder_or_a_device_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        AppendFile.open(tmp_path)
    with pytest.raises(CommandError, match="not a regular file"):
        AppendFile.open(Path("/dev/null"))
    with pytest.raises(CommandError, match="cannot write"):
        replace_file(tmp_path / "none" / "a", b"")
    assert read_file(tmp_path / "none") is None


def output(tmp_path: Path, data: bytes) -> AppendFile:
    (tmp_path / "out").write_bytes(data)
    return AppendFile.open(tmp_path / "out")


LINE = b'{"input":"https://www.linkedin.com/in/a","kind":"person","status":"found"}\n'
TABLE = (
    b'input,kind,status,error,result.name\nhttps://www.linkedin.com/in/a,person,found,,"A\n""B"""\n'
)


@pytest.mark.parametrize("cut", range(len(LINE)))
def test_a_partial_line_is_truncated_at_every_byte(tmp_path: Path, cut: int) -> None:
    file = output(tmp_path, LINE + LINE.replace(b"/a", b"/b")[:cut])
    assert len(read_existing_output(file, "jsonl").keys) == 1
    assert file.size == len(LINE)
    file.close()
    file = output(tmp_path, LINE[:cut])
    assert not read_existing_output(file, "jsonl").keys
    file.close()


@pytest.mark.parametrize("cut", range(1, len(TABLE) + 1))
def test_a_partial_record_of_a_csv_is_truncated_at_every_byte(tmp_path: Path, cut: int) -> None:
    head = TABLE.index(b"\n") + 1
    file = output(tmp_path, TABLE[:cut])
    found = read_existing_output(file, "csv")
    file.close()
    assert len(found.keys) == (cut == len(TABLE))
    assert file.size == (len(TABLE) if cut == len(TABLE) else head if cut >= head else 0)


@given(st.lists(st.lists(st.text(max_size=4), min_size=1, max_size=3), max_size=4), st.data())
def test_a_truncated_csv_ends_with_its_last_complete_record(
    rows: list[list[str]], data: st.DataObject
) -> None:
    ends, out = [0], io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    for row in rows:
        writer.writerow(row)
        ends.append(len(out.getvalue().encode("utf-8", "surrogatepass")))
    whole = out.getvalue().encode("utf-8", "surrogatepass")
    cut = data.draw(st.integers(0, len(whole)))
    found = list(_record_ends(whole[:cut], quoted=True))
    assert found == [end for end in ends[1:] if end <= cut]


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("jsonl", b'{"name":"A"}\n'),
        ("jsonl", b"plain\n"),
        ("csv", b"name,link\nA,b\n"),
        ("jsonl", b"torn"),
    ],
)
def test_a_file_of_another_program_is_not_changed(tmp_path: Path, form: str, data: bytes) -> None:
    file = output(tmp_path, data)
    with pytest.raises(CommandError, match="output of"):
        read_existing_output(file, form)  # type: ignore[arg-type]
    file.close()
    assert (tmp_path / "out").read_bytes() == data
