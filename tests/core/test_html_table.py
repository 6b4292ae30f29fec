"""Tables for notebooks: escaped, short, and with links to LinkedIn only."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structs import filled

from lix_async import NotFoundError, Page, bulk
from lix_async.core.html_table import html_fields, html_items, is_linkedin_url
from lix_async.core.plurals import counted
from lix_async.providers.lix.models import Experience, JobPosting, Person

EVIL = '<script>alert("x")</script>'
LINK = "https://www.linkedin.com/in/example-person-1"
ALLOWED = {"table", "caption", "thead", "tbody", "tr", "th", "td", "p", "a"}


class Tags(HTMLParser):
    """The tags of a text, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def check(html: str) -> None:
    for tag, attributes in Tags(html).found:
        assert tag in ALLOWED
        assert set(attributes) == ({"href", "rel"} if tag == "a" else set())
        if tag == "a":
            assert attributes["rel"] == "noopener noreferrer"
            assert re.match(
                r"https://([a-z0-9-]+\.)*linkedin\.com(/|$)", attributes["href"] or "", re.I
            )


@given(st.text(), st.text())
def test_whatever_strangers_write_is_text(name: str, link: str) -> None:
    check(html_items(name, [Person(name=name, link=link), JobPosting({name: link})]))
    check(html_fields(name, {name: link, "list": [name, link], "inner": {name: link}}))


@pytest.mark.parametrize(
    "value",
    [
        Page([Person(name=EVIL, link=LINK)], 0, 1, None, None, None),
        Page([JobPosting({EVIL: EVIL})], 0, 1, None, None, None),
        bulk.Outcome[Person](input=EVIL, state="done", value=Person(name=EVIL, link=LINK)),
        bulk.Outcome[Person](input=EVIL, state="refused", error=NotFoundError(EVIL)),
        bulk.Outcome[Any](input=1, state="done", value=[Person(name=EVIL)]),
        bulk.Outcome[Any](input=1, state="done", value=JobPosting({EVIL: EVIL})),
        filled(bulk.Progress),
        filled(bulk.Report),
        filled(bulk.Preview),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_shown_in_notebooks_is_escaped(value: Any) -> None:
    html = value._repr_html_()
    check(html)
    assert "<script" not in html
    assert html.count("<tr>") <= 21


def test_a_table_has_at_most_twenty_rows_and_says_how_many_more_there_are() -> None:
    page = Page(
        [Person(name=f"Person {number}", link=LINK) for number in range(1025)],
        0,
        1025,
        None,
        None,
        None,
    )
    html = page._repr_html_()
    assert html.count("<tr>") == 21
    assert "Person 19" in html
    assert "Person 20" not in html
    assert html.endswith("<p>1,005 more</p>")
    assert f'<a href="{LINK}" rel="noopener noreferrer">{LINK}</a>' in html
    assert "more" not in html_items("t", page.items[:20])


def test_cells_are_short() -> None:
    jobs = [Experience(title="a"), Experience(title="b")]
    person = Person(name="x" * 300, experience=jobs, shared_connection_names=["Ada", "Bo"])
    html = html_items("t", [person, 3])
    assert "x" * 120 + "…" in html
    assert "<td>2 items</td>" in html
    assert "<td>Ada, Bo</td>" in html
    assert "<td>title: a</td>" in html_fields("t", {"job": jobs[0], "none": None})
    assert len(re.findall("<th>", html_items("t", [filled(Person)]))) == 12


@pytest.mark.parametrize(
    "text",
    [LINK, "https://linkedin.com", "https://de.linkedin.com/in/x?a=b", "https://LinkedIn.com/in/x"],
)
def test_https_pages_of_linkedin_are_links(text: str) -> None:
    assert is_linkedin_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://www.linkedin.com/in/x",
        "//www.linkedin.com/in/x",
        "javascript:alert(1)//www.linkedin.com",
        "https://linkedin.com.evil.example/in/x",
        "https://evil-linkedin.com/",
        "https://www.linkedin.com@evil.example/",
        "https://evil.example\\@www.linkedin.com/",
        "https://evil.example/https://www.linkedin.com/",
        "https://www.linkedin.com:8443/in/x",
        "https://www.linkedin.com/in/x y",
        'https://www.linkedin.com/in/x"onmouseover="alert(1)',
        "https://www.linkedin.com/in/x\n",
        "https://evil.example\t.linkedin.com/",
        "https://[linkedin.com/",
        "https://evil%2f.linkedin.com/",
        "https://ｌinkedin.com/",
        "",
    ],
)
def test_other_texts_are_not(text: str) -> None:
    assert not is_linkedin_url(text)


def test_numbers_have_their_noun() -> None:
    assert [counted(number, "credit") for number in (0, 1, 1200)] == [
        "0 credits",
        "1 credit",
        "1,200 credits",
    ]


def test_zero_and_false_are_values() -> None:
    rows = [{"credits": 0, "cached": False, "name": "", "reason": None}]
    html = html_items("t", rows)
    assert re.findall("<th>(.*?)</th>", html) == ["credits", "cached"]
    assert "<td>0</td><td>False</td>" in html
