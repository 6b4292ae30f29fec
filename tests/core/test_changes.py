"""Differences between two answers: exact in every field, against the life that made the answers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async.core.changes import Difference, differences, facts_of
from lix_async.core.installed_providers import all_endpoints, provider_name, provider_of

Expected = tuple[str, str, object, object]


@dataclass(frozen=True)
class Job:
    """A position of a life; months are counted from January 2000."""

    title: str
    company: int
    start: int
    end: int | None = None


@dataclass
class Life:
    """A person: what is so now, and what has changed since the last answer."""

    month: int = 240
    numbered: bool = True
    """Whether companies have a number, which says more than their name."""
    jobs: list[Job] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    expected: list[Expected] = field(default_factory=list)
    texts: Any = field(default_factory=lambda: (f"text {n}" for n in itertools.count()))

    def begin(self) -> None:
        self.facts = {name: next(self.texts) for name in ("name", "location", "industry")}
        self.facts |= {"slug": "slug-0", "headline": "A headline"}
        self.jobs = [Job(next(self.texts), 1, self.month)]

    def company(self, number: int) -> str:
        return self.names.get(number, f"Company {number}")

    def text(self, job: Job) -> str:
        return f"{job.title} at {self.company(job.company)}"

    # Events

    def joins(self) -> None:
        old, self.month = self.jobs[0], self.month + 2
        new = Job(next(self.texts), max(job.company for job in self.jobs) + 1, self.month)
        self.jobs[:1] = [new, replace(old, end=self.month)]
        self.expected.append(("job_ended", "job", self.text(old), None))
        self.expected.append(("job_started", "job", None, self.text(new)))

    def is_promoted(self) -> None:
        old, self.month = self.jobs[0], self.month + 2
        new = Job(next(self.texts), old.company, self.month)
        self.jobs[:1] = [new, replace(old, end=self.month)]
        self.expected.append(("title_changed", "title", old.title, new.title))

    def edits_title(self) -> None:
        if self.month - self.jobs[0].start < 12:
            return  # since the last answer: nothing tells the first title
        old, self.jobs[0] = self.jobs[0], replace(self.jobs[0], title=next(self.texts))
        self.jobs[0] = replace(self.jobs[0], start=old.start)
        self.expected.append(("title_changed", "title", old.title, self.jobs[0].title))

    def changes(self, name: str, kind: str) -> None:
        old, new = self.facts[name], next(self.texts).replace(" ", "-")
        self.facts[name] = new
        self.expected.append((kind, name, old, new))

    def company_is_renamed(self) -> None:
        job = self.jobs[0]
        if self.month - job.start < 12:
            return
        old = self.company(job.company)
        self.names[job.company] = f"Renamed {next(self.texts)}"
        self.expected.append(("company_changed", "organisation", old, self.company(job.company)))

    # Answers

    def person(self) -> dict[str, Any]:
        def date(month: int | None) -> dict[str, int]:
            return {} if month is None else {"year": 2000 + month // 12, "month": month % 12 + 1}

        def experience(job: Job) -> dict[str, Any]:
            link = f"https://linkedin.com/sales/company/{job.company if self.numbered else ''}"
            return {
                "title": job.title,
                "organisation": {"name": self.company(job.company), "salesNavLink": link},
                "timePeriod": {"startedOn": date(job.start), "endedOn": date(job.end)},
                "tenureAtOrg": {"months": self.month - job.start},
            }

        return {
            "name": self.facts["name"],
            "location": self.facts["location"],
            "industry": self.facts["industry"],
            "description": self.facts["headline"],
            "link": f"https://www.linkedin.com/in/{self.facts['slug']}",
            "organisation": self.company(self.jobs[0].company),
            "numSharedConnections": self.month,
            "experience": [experience(job) for job in self.jobs],
        }


EVENTS: dict[str, Callable[[Life], None]] = {
    "joins": Life.joins,
    "promoted": Life.is_promoted,
    "title": Life.edits_title,
    "location": lambda life: life.changes("location", "location_changed"),
    "name": lambda life: life.changes("name", "name_changed"),
    "slug": lambda life: life.changes("slug", "slug_moved"),
    "headline": lambda life: life.changes("headline", "field_changed"),
    "industry": lambda life: life.changes("industry", "field_changed"),
    "renamed": Life.company_is_renamed,
}
ONCE = [name for name in EVENTS if name not in ("joins", "promoted")]


@st.composite
def intervals(draw: st.DrawFn) -> list[list[str]]:
    """What happens between answers: of most kinds at most one, so that nothing hides it."""

    def interval() -> list[str]:
        steps = draw(st.lists(st.sampled_from(("joins", "promoted")), max_size=3))
        return [*draw(st.lists(st.sampled_from(ONCE), unique=True)), *steps]

    return [interval() for _ in range(draw(st.integers(1, 4)))]


def found(endpoint: str, before: Any, after: Any) -> list[Difference]:
    row = all_endpoints()[endpoint]
    assert row.fields is not None
    read = [
        facts_of(
            provider_of(provider_name(endpoint)),
            row,
            200,
            body if isinstance(body, bytes) else msgspec.json.encode(body),
        )
        for body in (before, after)
    ]
    assert read[0] is not None
    assert read[1] is not None
    return list(differences(read[0], read[1], row.fields))


def short(changes: list[Difference]) -> list[Expected]:
    return sorted((one[:4] for one in changes), key=repr)


@given(intervals(), st.booleans())
def test_what_changed_is_exact_in_every_field(steps: list[list[str]], numbered: bool) -> None:
    life = Life(numbered=numbered)
    life.begin()
    for events in steps:
        before, life.expected, life.month = life.person(), [], life.month + 14
        for event in events:
            if event != "renamed" or numbered:  # else it is another company
                EVENTS[event](life)
        if numbered and "renamed" in events and "joins" in events:
            return  # by which name it was left depends on the day
        assert short(found("person.get", before, life.person())) == sorted(life.expected, key=repr)


@given(intervals())
def test_an_answer_does_not_differ_from_itself(steps: list[list[str]]) -> None:
    life = Life()
    life.begin()
    for event in itertools.chain(*steps):
        EVENTS[event](life)
    body = life.person()
    assert found("person.get", body, body) == []


def job(**fields: Any) -> dict[str, Any]:
    period = {"startedOn": fields.pop("start", {"year": 2020}), "endedOn": fields.pop("end", {})}
    organisation = {"name": fields.pop("at", "Acme")}
    return {"title": "CTO", "organisation": organisation, "timePeriod": period, **fields}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # Without positions the summary counts.
        ({"organisation": "A"}, {"organisation": "B"}, [("company_changed", "organisation", "A", "B")]),
        ({"headline": "A"}, {"headline": "B"}, [("field_changed", "headline", "A", "B")]),
        ({"location": "A"}, {}, [("location_changed", "location", "A", None)]),
        # An encoded id in place of the name hides it.
        ({"link": "https://linkedin.com/in/ada"}, {"link": "https://linkedin.com/in/ACoAAAexample1"}, []),
        ({"link": "https://linkedin.com/in/Ada"}, {"link": "https://uk.linkedin.com/in/ada/"}, []),
        # The default headline repeats the position.
        (
            {"description": "CTO at Acme", "experience": [job()]},
            {"description": "CEO at Acme", "experience": [job(title="CEO")]},
            [("title_changed", "title", "CTO", "CEO")],
        ),
        # Left, and nothing new.
        (
            {"experience": [job()]},
            {"experience": [job(end={"year": 2024, "month": 5})]},
            [("job_ended", "job", "CTO at Acme", None)],
        ),
        # Taken out of the profile.
        ({"experience": [job(), job(at="Old", start={"year": 2010}, end={"year": 2012})]},
         {"experience": [job(at="Other", start={"year": 2000}, end={"year": 2002})]}, [
            ("field_changed", "experience", "CTO at Old", None),
            ("field_changed", "experience", None, "CTO at Other"),
            ("job_ended", "job", "CTO at Acme", None),
        ]),
        # No positions: they are hidden or missing.
        ({"experience": [job()]}, {"experience": []}, []),
        # An earlier one, added later.
        ({"experience": [job()]},
         {"experience": [job(), job(at="Old", start={"year": 2010}, end={"year": 2012})]},
         [("field_changed", "experience", None, "CTO at Old")]),
        # Started and ended in between.
        ({"experience": [job(end={"year": 2021})]},
         {"experience": [job(end={"year": 2021}), job(at="B", start={"year": 2021}, end={"year": 2022})]},
         [("job_ended", "job", "CTO at B", None), ("job_started", "job", None, "CTO at B")]),
        # Came back after a year.
        ({"experience": [job()]},
         {"experience": [job(end={"year": 2021, "month": 1}), job(start={"year": 2022, "month": 3})]},
         [("job_ended", "job", "CTO at Acme", None), ("job_started", "job", None, "CTO at Acme")]),
        # A start that was corrected is no other job.
        ({"experience": [job()]}, {"experience": [job(start={"year": 2019})]}, []),
        # A position that had ended goes on.
        ({"experience": [job(end={"year": 2021})]}, {"experience": [job()]},
         [("job_started", "job", None, "CTO at Acme")]),
        ({"experience": [job(location="Here")]}, {"experience": [job(location="There")]},
         [("field_changed", "experience.location", "Here", "There")]),
        # The same company under another name, without a number.
        ({"experience": [job()]}, {"experience": [job(at="Acme Inc.")]},
         [("company_changed", "organisation", "Acme", "Acme Inc.")]),
        # Two positions at once.
        ({"experience": [job(), job(title="Board member", start={"year": 2021})]},
         {"experience": [job(), job(title="Chair", start={"year": 2021})]},
         [("title_changed", "title", "Board member", "Chair")]),
        ({"experience": [job(start={}, isCurrent=True)]}, {"experience": [job(start={}, isCurrent=False)]},
         [("job_ended", "job", "CTO at Acme", None)]),
    ],
)  # fmt: skip
def test_people(before: Any, after: Any, expected: list[Expected]) -> None:
    whole = {"name": "Ada", **before}, {"name": "Ada", **after}
    assert short(found("person.get", *whole)) == expected


def test_a_value_that_was_repaired_is_not_compared() -> None:
    plain = b'{"name": "Ada", "location": "Bath", "industry": "Art", "numOfConnections": 5}'
    broken = (
        b'{"name": "\\ud800da", "location": "Bath", "industry": "Law", "numOfConnections": NaN}'
    )
    assert short(found("person.get", plain, broken)) == [
        ("field_changed", "industry", "Art", "Law")
    ]
    assert short(found("person.get", broken, plain)) == [
        ("field_changed", "industry", "Law", "Art")
    ]
    lost = b'{"name": "Ada", "location": "Bath", "industry": "Art", "numOfConnections": {"a": 1}}'
    assert found("person.get", plain, lost) == []


def test_positions_that_were_repaired_are_not_compared() -> None:
    plain = msgspec.json.encode({"name": "Ada", "experience": [job()]})
    broken = plain.replace(b"CTO", b"\\ud800")
    assert found("person.get", plain, broken) == []


def test_organisations() -> None:
    before = {
        "organisationIds": {"name": "Acme"},
        "liOrganisation": {"headquarters": "Bath, GB", "liEmployeeCount": "10"},
        "profile": {
            "name": "Acme", "size": "2-10", "employeeCount": 10,
            "linkedinUrl": "https://www.linkedin.com/company/acme",
        },
    }  # fmt: skip
    after = {
        "organisationIds": {"name": "Acme Ltd"},
        "liOrganisation": {"headquarters": "Leeds, GB", "liEmployeeCount": "50"},
        "profile": {
            "name": "Acme Ltd", "size": "11-50", "employeeCount": 50,
            "linkedinUrl": "https://www.linkedin.com/company/acme-ltd",
        },
    }  # fmt: skip
    assert short(found("organisation.by_linkedin", before, after)) == [
        ("field_changed", "employeeCount", 10, 50),
        ("field_changed", "size", "2-10", "11-50"),
        ("location_changed", "location", "Bath, GB", "Leeds, GB"),
        ("name_changed", "name", "Acme", "Acme Ltd"),
        ("slug_moved", "slug", "acme", "acme-ltd"),
    ]


def test_employment() -> None:
    old = {"title": "CTO", "companyName": "Acme", "companyUrn": "urn:li:fsd_company:1"}
    new = {"title": "CEO", "companyName": "Acme", "companyUrn": "urn:li:fsd_company:2"}
    since, until = (
        {"startDate": {"year": 2020, "month": 1}},
        {"endDate": {"year": 2024, "month": 2}},
    )
    before = {"experiences": [old | since]}
    after = {"experiences": [new | {"startDate": {"year": 2024}}, old | since | until]}
    changes = found("person.employment", before, after)
    assert short(changes) == [
        ("job_ended", "job", "CTO at Acme", None),
        ("job_started", "job", None, "CEO at Acme"),
    ]
    assert {one.organisation for one in changes} == {"urn:li:fsd_company:1", "urn:li:fsd_company:2"}


def test_the_provider_whose_positions_have_no_dates_but_a_text() -> None:
    def body(*jobs: tuple[str, str, str]) -> dict[str, Any]:
        names = ("title", "companyName", "duration")
        return {
            "success": True,
            "cachedAt": str(jobs),
            "profile": {"firstName": "Ada", "lastName": "Byron", "publicIdentifier": "ada"},
            "experience": [dict(zip(names, one, strict=True)) for one in jobs],
        }

    before = body(("CTO", "Acme", "Jan 2022 - Present · 2 yrs"))
    after = body(
        ("CEO", "Beta", "Jun 2024 - Present · 1 mo"),
        ("CTO", "Acme", "Jan 2022 - Jun 2024 · 2 yrs 6 mos"),
    )
    assert short(found("connectsafely.profile", before, after)) == [
        ("job_ended", "job", "CTO at Acme", None),
        ("job_started", "job", None, "CEO at Beta"),
    ]
    later = body(("CTO", "Acme", "Jan 2022 - Present · 3 yrs"))
    assert found("connectsafely.profile", before, later) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://www.linkedin.com/in/Ada%20L", "ada l"), ("Ada", "ada"), ("undefined", None),
        ("ACoAAAexample1", None), ("https://example.com/in/ada", None),
    ],
)  # fmt: skip
def test_the_public_identifier_in_a_text(text: str, expected: str | None) -> None:
    from lix_async.linkedin.fields import public_slug

    assert public_slug(text) == expected
