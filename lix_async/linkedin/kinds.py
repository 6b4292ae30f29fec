"""What a link points to."""

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

ENCODED = re.compile(r"A[CE][A-Za-z]AA[A-Za-z0-9_-]{8,}")
"""An encoded profile id (`ACoAA…`, `ACwAA…`: lix.md#viewer-id). Its case is significant."""

# Parameters that do not change what a search finds: the position, and details of a session.
_IRRELEVANT = re.compile(
    r"(?:^|(?<=[?&#]))(?:page|start|sid|sessionId|origin|trk|currentJobId|viewAllFilters)=[^&#]*&?"
)
SUBJECTS = ("person", "lead", "recruiter", "organisation", "account")
"""The kinds of pages of a person or an organisation."""
_SAME_KIND = {"lead": "person", "recruiter": "person", "account": "organisation"}


class Link(msgspec.Struct, frozen=True):
    """A LinkedIn link, as it was read.

    For a search, `url` keeps every parameter unchanged: LinkedIn's `query` must not be encoded
    again (lix.md#paging-url).
    """

    kind: Kind
    """`lead` and `account` are a person and a company on Sales Navigator."""
    id: str = ""
    """Public identifier, Sales Navigator id, company name, or digits; "" if there is none.

    Of an old profile address, everything after `/pub/`.
    Percent-decoded, and in lower case where LinkedIn ignores case. For a job search, the job that
    is selected.
    """
    url: str = ""
    """The canonical URL; "" for something without a page."""
    urn: str | None = None
    """LinkedIn's own name for it, if the text contains it."""

    @property
    def identity(self) -> str | None:
        """Equal for two links to the same thing; None if that cannot be decided.

        The pages of a person on LinkedIn, Sales Navigator and Recruiter are the same thing if they
        have the same encoded id, and so are the two pages of a company. Searches are equal if they
        find the same.
        """
        if self.kind in ("post", "unknown"):
            return self.urn
        if self.kind.endswith("_search"):
            return _IRRELEVANT.sub("", self.url).rstrip("?&#")
        kind: str = self.kind
        if kind == "account" or ENCODED.fullmatch(self.id):  # other ids have a meaning of their own
            kind = _SAME_KIND.get(kind, kind)
        return f"{kind} {self.id}"
