"""The glossary has one plain sentence for each term, in order, and every term is in use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from source_tree import PACKAGE, ROOT, Violation, documents, package_files, report

GLOSSARY = ROOT / "docs" / "explanation" / "glossary.md"
HERE = GLOSSARY.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Term:
    """An entry: `- **term**: sentence.`"""

    name: str
    meaning: str
    line: int


@cache
def terms() -> tuple[Term, ...]:
    """The entries in the order of the file."""
    text = GLOSSARY.read_text(encoding="utf-8")
    entry = re.compile(r"^- \*\*(.+?)\*\*: ((?:.+\n)(?:  .+\n)*)", re.MULTILINE)
    return tuple(
        Term(found[1], " ".join(found[2].split()), text.count("\n", 0, found.start()) + 1)
        for found in entry.finditer(text)
    )


@cache
def corpus() -> str:
    """Package and documents in lower case, with identifiers split into words."""
    texts = [file.text for file in package_files()]
    texts += [path.read_text(encoding="utf-8") for path in documents() if path != GLOSSARY]
    text = re.sub(r"([a-z0-9])([A-Z])|_", r"\1 \2", "\n".join(texts))
    return re.sub(r"[\s\-]+", " ", text).lower()


def is_used(term: str) -> bool:
    """Whether the words of a term stand together somewhere, in singular or plural."""
    *first, last = term.lower().replace("-", " ").split()
    stem = re.escape(last[:-1]) + "(?:y|ies)" if last.endswith("y") else re.escape(last)
    words = [re.escape(word) for word in first]
    return bool(re.search(rf"\b{' '.join([*words, stem])}(?:s|es|d|ed|ing)?\b", corpus()))


def test_the_glossary_is_read_whole() -> None:
    bullets = len(re.findall(r"^- ", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(terms()) == bullets > 50
    assert PACKAGE.name not in {term.name for term in terms()}


def test_terms_are_unique_and_in_alphabetical_order() -> None:
    names = [term.name.casefold() for term in terms()]
    assert names == sorted(set(names))


def test_a_meaning_is_one_sentence() -> None:
    report(
        Violation(HERE, term.line, f"{term.name}: expected one sentence")
        for term in terms()
        if not re.fullmatch(r"[A-Z][^.]*(?:[.][^\s][^.]*)*[.]", term.meaning)
    )


def test_every_term_is_used() -> None:
    report(
        Violation(HERE, term.line, f"{term.name!r} is used neither in the package nor in docs")
        for term in terms()
        if not is_used(term.name)
    )
