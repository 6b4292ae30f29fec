"""Links between the documents lead to files, and the files that pages name are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *(path for path in sorted((ROOT / "docs").rglob("*.md")) if "_build" not in path.parts),
    ROOT / "examples" / "README.md",
]
FENCE = re.compile(r"^(```|:::).*?^\1", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")
NAMED = re.compile(r"`((?:[\w<>-]+/)+(?:[\w<>-]+\.(?:py|md|json))?)`")
"""A file or folder in backticks, such as `core/retry.py` or `bulk/stores/`."""
PLACES = (ROOT, ROOT / "lix_async", ROOT / "tests")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_between_documents_lead_to_files(path: Path) -> None:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    missing = [link for link in LINK.findall(text) if not (path.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize(
    "name", ["CONTRIBUTING.md", "SECURITY.md", "docs/explanation/architecture.md"]
)
def test_the_files_that_a_page_names_are_there(name: str) -> None:
    named = set(NAMED.findall((ROOT / name).read_text(encoding="utf-8")))
    named = {one for one in named if "<" not in one and not one.startswith("docs/_build")}
    assert named
    missing = sorted(one for one in named if not any((place / one).exists() for place in PLACES))
    assert not missing


def test_each_question_of_the_architecture_page_has_a_module_and_a_test() -> None:
    text = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]*\? \|(.*)\|(.*)\|$", text, re.MULTILINE)
    assert len(rows) >= 25
    for modules, tests in rows:
        for place, cell in ((ROOT / "lix_async", modules), (ROOT / "tests", tests)):
            files = [one for one in re.findall(r"`([^`]+)`", cell) if "/" in one or ".py" in one]
            assert files
            assert not [one for one in files if not (place / one).exists()]
