"""Example parameters of every endpoint, from `examples.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import msgspec

from ..answers import connectsafely, inmail, lookc, messages
from ..world import inbox, job_postings
from ..world.world import World

Examples = Mapping[str, Mapping[str, object]]
"""Parameters, under the provider's names, that are answered with 200, by catalogue id."""
_TEMPLATES = msgspec.toml.decode(
    Path(__file__).with_name("examples.toml").read_bytes(), type=Examples
)


def all_examples(world: World) -> Examples:
    """The examples for all endpoints of all providers, with records of a world."""
    company, viewer = world.companies.at(0), world.viewers[0]
    records = {
        "person": world.person(0),
        "company": company,
        "viewer": viewer,
        "post": world.post_at(0),
        "job_id": job_postings.FIRST_ID,
        "people_url": "https://www.linkedin.com/search/results/people/?keywords=sales",
        "leads_url": "https://www.linkedin.com/sales/search/people?query=(keywords:sales)",
        "jobs_url": "https://www.linkedin.com/jobs/search/?keywords=sales",
        "conversation": inbox.conversation(messages.KIND, viewer, 0),
        "thread": inbox.conversation(inmail.KIND, viewer, 0),
        "account": connectsafely.ACCOUNT,
        "request_id": lookc.EXAMPLE_REQUEST,
        "org_id": lookc.org_id(world, company),
    }
    return cast("Examples", _fill(_TEMPLATES, records))


def _fill(template: object, records: Mapping[str, object]) -> object:
    """A template with the names in its texts replaced by records."""
    if isinstance(template, str):
        return template.format_map(records)
    if isinstance(template, list):
        return [_fill(part, records) for part in cast("list[object]", template)]
    if isinstance(template, dict):
        parts = cast("dict[str, object]", template)
        return {name: _fill(part, records) for name, part in parts.items()}
    return template
