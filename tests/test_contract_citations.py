"""Every citation of the contract leads somewhere, and every endpoint has one.

docs/contract/index.md states the rules that are tested here.
"""

from __future__ import annotations

import json
import pkgutil
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import lix_async.providers

ROOT = Path(__file__).parents[1]
CONTRACT = ROOT / "docs" / "contract"
PROVIDERS = ("lix", "lookc", "connectsafely", "letrics", "meetalfred")
PAGES = [CONTRACT / f"{name}.md" for name in ("index", *PROVIDERS)]
CATALOGUE: list[dict[str, Any]] = [
    entry
    for name in ("catalogue.json", "catalogue-other.json")
    for entry in json.loads((ROOT / "tests" / "contract" / name).read_bytes())
]
CITATION = re.compile(rf"\b({'|'.join(PROVIDERS)})\.md#([\w-]+(?:\.[\w-]+)*)")
ANCHOR = re.compile(r'<a id="([^"]*)"></a>')
NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*|[a-z_]+(?:\.[a-z_]+)+")
"""A topic, or a catalogue id."""
LINK = re.compile(r"\]\(([^()\s]+)\)")
OLD_FORMS = [
    re.compile(pattern)
    for pattern in (
        r"(?<!RFC [0-9]{4} )\b[Ss]ections? [0-9]",
        r"\bcontract[,.]? [\"0-9]",
        r"[Ll]ive`?[\"']? section",
        r"[Ss]eed endpoint",
        rf"\b(?:{'|'.join(PROVIDERS)})\.md(?:,? [\"0-9]|,? sections?\b)",
        rf"(?i:contract): (?:{'|'.join(PROVIDERS)})\.md(?!#)",
    )
]
"""How the contract was cited before: by number or by title."""


def installed() -> list[str]:
    """The providers whose folder is there."""
    return [module.name for module in pkgutil.iter_modules(lix_async.providers.__path__)]


@cache
def anchors(page: Path) -> frozenset[str]:
    found = ANCHOR.findall(page.read_text())
    assert len(found) == len(set(found)), f"{page.name} has an anchor twice"
    return frozenset(found)


def resolves(citation: str) -> bool:
    found = CITATION.fullmatch(citation)
    return found is not None and found[2] in anchors(CONTRACT / f"{found[1]}.md")


def sources() -> list[Path]:
    """The text of the package, the tests and the documents; not this module."""
    folders = ("lix_async", "tests", "docs", "benchmarks", "examples")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    files += ROOT.glob("*.md")
    kinds = {".py", ".md", ".json", ".toml"}
    return [path for path in files if path.suffix in kinds and path != Path(__file__)]


def flat(text: str) -> str:
    """Lines of prose joined, so that a citation broken over two lines is found."""
    return re.sub(r"\s*\n[\s#>]*", " ", text)


def headings(page: Path) -> list[tuple[int, str]]:
    """The headings outside code, with their line numbers from 0."""
    found, code = [], False
    for number, line in enumerate(page.read_text().splitlines()):
        code ^= line.startswith("```")
        if not code and re.match(r"#+ ", line):
            found.append((number, line))
    return found


def test_every_citation_resolves() -> None:
    cited = {
        (str(path.relative_to(ROOT)), found[0])
        for path in sources()
        for found in CITATION.finditer(path.read_text())
    }
    assert len(cited) > 200
    assert not sorted(one for one in cited if not resolves(one[1]))


@pytest.mark.parametrize(
    "citation", ["lix.md#no-such-topic", "lookc.md#person.get", "lix.md#", "other.md#paging"]
)
def test_a_wrong_citation_does_not(citation: str) -> None:
    assert not resolves(citation)


def test_the_end_of_a_sentence_is_no_part_of_a_citation() -> None:
    assert [
        found[0] for found in CITATION.finditer("See lix.md#person.get. Or lix.md#paging.")
    ] == [
        "lix.md#person.get",
        "lix.md#paging",
    ]


def test_no_citation_has_an_old_form() -> None:
    assert not [
        (str(path.relative_to(ROOT)), found[0])
        for path in sources()
        for text in [flat(path.read_text())]
        for old in OLD_FORMS
        for found in old.finditer(text)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "(contract section 22)",
        "(contract\n    # sections 14 to 16)",
        "needless (lix.md 5)",
        'connectsafely.md, "live section".',
        '(contract, "3. Connections")',
        "(lookc.md\nsection 8)",
        'docs="Seed endpoint"',
        "Contract: letrics.md. Items",
    ],
)
def test_an_old_form_is_found(text: str) -> None:
    assert any(old.search(flat(text)) for old in OLD_FORMS)


@pytest.mark.parametrize("text", ["RFC 9110 section 10.2.3", "(lix.md#paging, 10 pages)"])
def test_other_texts_are_left_alone(text: str) -> None:
    assert not any(old.search(flat(text)) for old in OLD_FORMS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_heading_has_an_anchor(page: Path) -> None:
    lines = page.read_text().splitlines()
    assert all(NAME.fullmatch(name) for name in anchors(page))
    assert headings(page)
    for number, heading in headings(page):
        assert lines[number - 1] == "", heading
        assert ANCHOR.fullmatch(lines[number - 2]), heading


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_between_the_pages_resolve(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry["id"])
def test_a_catalogue_entry_has_its_anchor(entry: dict[str, Any]) -> None:
    assert entry["docs"] == f"{entry['system']}.md#{entry['id']}"
    assert resolves(entry["docs"])


@pytest.mark.parametrize("provider", installed())
def test_every_endpoint_cites_its_anchor(provider: str) -> None:
    table = import_module(f"lix_async.providers.{provider}.endpoints").TABLE
    assert len(table) > 2
    for endpoint in table:
        assert endpoint.docs == f"{provider}.md#{endpoint.id}"
        assert resolves(endpoint.docs)
