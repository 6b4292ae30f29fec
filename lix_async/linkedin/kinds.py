"""What a link can point at."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal[
    "person",
    "lead",
    "recruiter",
    "organisation",
    "account",
    "post",
    "job",
    "people_search",
    "org_search",
    "job_search",
    "post_search",
    "lead_search",
    "account_search",
    "lead_list",
    "account_list",
    "thread",
    "unknown",
]

# Where a search stands on its own result pages, and what only one browser session knows of it.
_PASSING = re.compile(
    r"(?:^|(?<=[?&#]))(?:page|start|sid|sessionId|origin|trk|currentJobId|viewAllFilters)=[^&#]*&?"
)
_ONE_THING = {"lead": "person", "recruiter": "person", "account": "organisation"}


class Link(msgspec.Struct, frozen=True):
    """One LinkedIn link, understood.

    Of a search, `url` keeps every parameter byte for byte: LinkedIn's `query` must not be
    re-encoded (lix.md#paging-url).
    """

    kind: Kind
    """`lead` and `account` are a person and a company of Sales Navigator."""
    id: str = ""
    """Public identifier, Sales Navigator id, company slug, or digits; "" where there is none.

    Percent-decoded, without case where LinkedIn has none. Of a job search: the job shown in it.
    """
    url: str = ""
    """The canonical URL, "" for what has no page of its own."""
    urn: str | None = None
    """LinkedIn's own name for it, where the text tells it."""

    @property
    def identity(self) -> str | None:
        """Equal for two links to one thing; None when nobody can tell.

        A person's pages on LinkedIn, Sales Navigator and Recruiter are one thing when they show
        the same id; so are a company's two pages. Searches are equal that find the same.
        """
        if self.kind in ("post", "unknown"):
            return self.urn
        if self.kind.endswith("_search"):
            return _PASSING.sub("", self.url).rstrip("?&#")
        return f"{_ONE_THING.get(self.kind, self.kind)} {self.id}"
