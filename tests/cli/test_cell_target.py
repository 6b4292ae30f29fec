"""The target in a cell, and the reason where there is none."""

from __future__ import annotations

import pytest

from lix_async.cli.input.cell_target import CellReader
from lix_async.cli.input.lookup_kinds import LookupKind

L = "https://www.linkedin.com"
ALL: frozenset[LookupKind] = frozenset({"person", "org", "email"})
PEOPLE: frozenset[LookupKind] = frozenset({"person"})
SEVERAL = "several links in one cell: give each a row of its own"


@pytest.mark.parametrize(
    ("text", "link"),
    [
        (f"Ada <{L}/in/ada>", f"{L}/in/ada"),
        (f"{L}/in/ada, ", f"{L}/in/ada"),
        (f"see {L}/in/ada.", f"{L}/in/ada"),
        (f"[Ada]({L}/in/ada), CEO", f"{L}/in/ada"),
        (f'=HYPERLINK("{L}/in/ada","Ada")', f"{L}/in/ada"),
        (f"{L}/in/ada and {L}/in/Ada/", f"{L}/in/ada"),
        (f"{L}/in/ada of {L}/company/acme", f"{L}/in/ada"),
        (f"ada@example.com, {L}/in/ada", f"{L}/in/ada"),
        ("Ada: uk.linkedin.com/in/ada", "uk.linkedin.com/in/ada"),
        ("Ada Example <ada@example.com>", "ada@example.com"),
    ],
)
def test_a_link_among_words(text: str, link: str) -> None:
    target, reason = CellReader(ALL).read(text)
    assert target is not None
    assert (target.text, reason) == (link, "")


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (None, "no link"),
        ("  ", "no link"),
        (f"{L}/in/ada; {L}/in/bob", SEVERAL),
        (f"{L}/in/ada,{L}/in/bob", SEVERAL),
        ("https://lnkd.in/abc", "a short link: open it, and use the address that it leads to"),
        (f"{L}/jobs/view/4012345678", "a link of a job, not of a person or company"),
        (f"{L}/search/results/people/?keywords=x", "a link of a search or a list, not of a "
         "person or company"),
        (f"{L}/company/acme", "a company's link, where a person's link is needed"),
        (f"Acme: {L}/company/acme", "a company's link, where a person's link is needed"),
        (f"{L}/in/ada\ufffd", "the link has bytes that are no text"),
        ("ada", "not a link of a person or company: 'ada'"),
        (12, "not a link of a person or company: '12'"),
        ("https://notlinkedin.com/in/ada", "not a link of a person or company: "
         "'https://notlinkedin.com/in/ada'"),
        (f"{'x' * 5000} {L}/in/ada", f"not a link of a person or company: '{'x' * 59}…'"),
    ],
)  # fmt: skip
def test_the_reason_of_a_cell_without_a_target(cell: object, reason: str) -> None:
    assert CellReader(PEOPLE).read(cell) == (None, reason)


def test_the_link_behind_a_text() -> None:
    reader = CellReader(PEOPLE)
    assert reader.read("Ada", f"{L}/in/ada")[0] is not None
    assert reader.read("Ada", "https://example.com")[0] is None
    shown, _ = reader.read(f"{L}/in/ada", f"{L}/in/bob")
    assert shown is not None
    assert shown.text == f"{L}/in/ada"


@pytest.mark.parametrize("text", ["ada-1", "@ada-1", "in/ada-1", "/in/ada-1/", " ada-1 "])
def test_handles_are_links_when_asked_for(text: str) -> None:
    target, _ = CellReader(ALL, handles=True).read(text)
    assert target is not None
    assert target.text == f"{L}/in/ada-1"
    assert CellReader(ALL).read(text)[0] is None


def test_handles_of_companies() -> None:
    target, _ = CellReader(frozenset({"org"}), handles=True).read("acme")
    assert target is not None
    assert target.text == f"{L}/company/acme"


@pytest.mark.parametrize("text", ["Ada Example", "12345", "a", "a.b"])
def test_what_is_no_handle(text: str) -> None:
    assert CellReader(ALL, handles=True).read(text)[0] is None
