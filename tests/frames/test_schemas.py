"""The columns of every struct, compared with files, which running this module writes.

Within a minor version, columns are only appended: a line of these files may be added, and is never
changed or removed.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import msgspec
import pytest
from structs import filled, provider_structs

from lix_async.core.models import Listing, OpenObject
from lix_async.frames import schema, to_frame

FOLDER = Path(__file__).parent / "schemas"
ROWS = [one for one in provider_structs() if not issubclass(one, Listing) and schema(one).names]


def lines_of(kind: type) -> list[str]:
    """The columns of a struct with their types and, indented, those of structs in them."""
    lines = [f"{kind.__name__}"]
    for flatten in (False, True):
        found = schema(kind, flatten=flatten)
        shown = [f"  {name}: {as_text(found.field(name).type)}" for name in found.names]
        lines += [one for one in shown if one not in lines]
    return lines


def as_text(kind: object) -> str:
    """A type of Arrow without the descriptions."""
    import pyarrow as pa

    return str(pa.field("x", pa.field(kind).type).remove_metadata().type)


def golden() -> dict[str, str]:
    """The files by name, as they should be: one for each provider."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for kind in ROWS:
        found[kind.__module__.split(".")[2]] += lines_of(kind)
    return {f"{name}.txt": "\n".join(lines) + "\n" for name, lines in found.items()}


def test_the_schemas_are_those_of_the_files() -> None:
    assert {path.name: path.read_text() for path in FOLDER.iterdir()} == golden()


@pytest.mark.parametrize("kind", ROWS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
@pytest.mark.parametrize("flatten", [False, True])
def test_a_table_of_no_one_and_many_rows_has_one_schema(kind: type, flatten: bool) -> None:
    expected = schema(kind, flatten=flatten)
    assert len(set(expected.names)) == len(expected.names)
    full = filled(kind)
    for rows in ([], [kind()] if issubclass(kind, OpenObject) else [full], [full] * 57):
        frame = to_frame(rows, kind, flatten=flatten)
        assert frame.column_names == expected.names
        assert len(frame) == len(rows)
        none = to_frame([], kind, flatten=flatten)
        assert frame.to_pyarrow().schema.equals(none.to_pyarrow().schema)


def test_every_field_of_a_struct_is_described() -> None:
    for kind in ROWS:
        found = schema(kind)
        for name in found.names:
            assert found.field(name).metadata_str["description"], (kind, name)


def test_an_empty_struct_has_empty_columns() -> None:
    from lix_async.models import Person

    frame = to_frame([Person()])
    (row,) = frame.to_dicts()
    assert {name for name, value in row.items() if value not in (None, [])} == {"related_persons"}
    assert row["related_persons"] == "[]"
    assert row["birth_date"] is None  # not a struct of nulls
    assert msgspec.json.decode(str(row["related_persons"])) == []


if __name__ == "__main__":
    for file, text in golden().items():
        (FOLDER / file).write_text(text)
