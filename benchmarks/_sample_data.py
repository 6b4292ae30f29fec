"""Answers of the Lix API with people who do not exist, as many as are asked for."""

from __future__ import annotations

import json

KEY = "invented-key-as-long-as-real-ones-are"
ROWS = 25
"""People on a page of a search."""
SEARCH = "https://www.linkedin.com/search/results/people/?keywords=examples"
LINK = "https://www.linkedin.com/in/example-person-1"


def _job(title: str, organisation: str, began: int, ended: int | None) -> dict[str, object]:
    return {
        "description": "Runs the examples, and writes down what they were for.",
        "title": title,
        "dateStarted": f"April {began}",
        "dateEnded": f"March {ended}" if ended else "Present",
        "location": "Exampleville, Example Country",
        "organisation": {
            "name": organisation,
            "salesNavLink": "https://linkedin.com/sales/company/1000001",
        },
        "timePeriod": {
            "startedOn": {"month": 4, "year": began},
            "endedOn": {"month": 3, "year": ended} if ended else {},
        },
    }


def _row(number: int) -> dict[str, object]:
    """A person as a search shows one: the first job only."""
    return {
        "description": "Head of Examples",
        "location": "Exampleville, Example Country",
        "name": f"Example Person {number}",
        "salesNavLink": f"https://linkedin.com/sales/lead/ACoEXAMPLE{number:06},NAME_SEARCH,none",
        "link": f"https://www.linkedin.com/in/example-person-{number}",
        "experience": [_job("Head of Examples", "Example Org", 2023, None)],
    }


def person(number: int) -> bytes:
    """The answer of `person.get`: three jobs, two schools, three skills; 2.2 kB."""
    tree = _row(number) | {
        "phone": None,
        "aboutSummaryText": "First paragraph.\n\nSecond paragraph.",
        "experience": [
            _job("Head of Examples", "Example Org", 2023, None),
            _job("Example Analyst", "Sample Festival", 2014, 2018),
            _job("Example Trainee", "Sample Works", 2013, 2014),
        ],
        "education": [
            {
                "institutionName": school,
                "degree": "Bachelor's degree",
                "fieldOfStudy": "Example Studies",
                "dateStarted": "2010",
                "dateEnded": "2013",
                "timePeriod": {"startedOn": {"year": 2010}, "endedOn": {"year": 2013}},
            }
            for school in ("Example University", "Example College")
        ],
        "skills": [
            {"name": f"Example Skill {name}", "numOfEndorsement": str(count)}
            for name, count in (("A", 57), ("B", 4), ("C", 0))
        ],
    }
    return json.dumps(tree).encode()


def page(number: int, total: int = 1000, envelope: str | None = None) -> bytes:
    """The answer of a search, page 1, 2, 3…; flat, or wrapped as older documents show it."""
    first = (number - 1) * ROWS
    tree: dict[str, object] = {
        "people": [_row(first + row) for row in range(1, ROWS + 1)],
        "paging": {"count": ROWS, "start": first, "total": total},
    }
    return json.dumps({envelope: tree} if envelope else tree).encode()
