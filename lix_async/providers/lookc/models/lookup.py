"""The lookup by e-mail address and how far it is.

Contract: lookc.md#asynchronous-requests, lookc.md#lookc.person_by_email,
lookc.md#lookc.request_status, lookc.md#hit, lookc.md#org-ref
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

import msgspec
from msgspec import field

from ....core.models import Model

PROFILE = "https://www.linkedin.com/in/"
COMPLETE = "complete"
FAILED = frozenset({"failed", "error", "cancelled"})
"""Status words that end a request without a result. All others but `complete` mean: not yet."""


class _NamedReference(Model):
    """A name with its two links; the first version of the API called them `...Link`."""

    __aliases__: ClassVar[dict[str, str]] = {
        "liProfileLink": "liProfileUrl",
        "salesNavLink": "salesNavUrl",
    }

    name: str | None = None
    li_profile_url: str | None = None
    """As received; see the class for what it holds."""
    sales_nav_url: str | None = None
    """As received. For people the path segment `lead` is missing: it is no link to click."""

    @property
    def sales_nav_id(self) -> str | None:
        """The Sales Navigator id inside `sales_nav_url`: after the last `/`, before any `,`."""
        return (self.sales_nav_url or "").rpartition("/")[2].partition(",")[0] or None


class Hit(_NamedReference):
    """A person who matches. `li_profile_url` holds a bare public identifier, or a URL."""

    @property
    def profile_url(self) -> str | None:
        """`li_profile_url` as a URL, also where only the public identifier came."""
        link = self.li_profile_url
        if not link:
            return None
        return link if link.startswith("http") else PROFILE + link


class OrgRef(_NamedReference):
    """The organisation of the mail domain. `li_profile_url` holds a URL."""


class DomainInfo(Model):
    """What is known of the mail domain."""

    is_free_email_domain: bool | None = None
    """True for free mail providers: then there may be no organisation."""


class PersonByEmail(Model):
    """Whom an e-mail address belongs to."""

    hits: list[Hit] = field(default_factory=list[Hit])
    """The people at the company that match: none, one or several, in no stated order."""
    org: OrgRef | None = None
    domain_info: DomainInfo | None = None

    @property
    def blank(self) -> bool:
        """Whether the answer says nothing at all: no person, no organisation, no domain."""
        return not self.hits and self.org is None and self.domain_info is None


class LookupAnswer(PersonByEmail):
    """The lookup's first answer: the result itself, or the id under which it is being made.

    The second kind is not published (lookc.md#asynchronous-requests): the id may be called
    `request_id`, `requestId` or `id`, at the root or under `data`, with or without a status word.
    """

    __aliases__: ClassVar[dict[str, str]] = {"requestId": "request_id", "id": "request_id"}
    __markers__: ClassVar[tuple[str, ...]] = ("data", "request_id", "requestId", "id")

    request_id: str | None = field(default=None, name="request_id")
    status: str | None = None

    @classmethod
    def __repair__(cls, tree: dict[str, object]) -> dict[str, object]:
        """Lift what stands under `data`, and put the status into words."""
        inner = tree.get("data")
        outer = {name: value for name, value in tree.items() if value is not None}
        flat = cast("dict[str, object]", inner) | outer if isinstance(inner, dict) else outer
        return {**flat, "status": _status(flat)}

    @property
    def failed(self) -> bool:
        """Whether the status word says that there will be no result."""
        return not self.hits and _word(self.status) in FAILED

    @property
    def pending(self) -> bool:
        """Whether the result has to be asked for. Hits in hand are a result in any case."""
        if self.hits or self.failed or _word(self.status) == COMPLETE:
            return False
        return bool(self.request_id) or (self.blank and self.status is not None)

    def result(self) -> PersonByEmail:
        """The result alone."""
        return PersonByEmail(hits=self.hits, org=self.org, domain_info=self.domain_info)


class RequestStatus(Model):
    """How far a request is. Only `complete` is a published word."""

    __aliases__: ClassVar[dict[str, str]] = {"requestId": "request_id", "id": "request_id"}
    __markers__: ClassVar[tuple[str, ...]] = ("hits",)

    status: str | None = None
    data: PersonByEmail | None = None
    """The result, once it is complete."""
    request_id: str | None = field(default=None, name="request_id")

    @classmethod
    def __repair__(cls, tree: dict[str, object]) -> dict[str, object]:
        """The lookup's own path may answer with the bare result (lookc.md#lookc.request_status)."""
        return {**tree, "status": _status(tree), "data": tree}

    @property
    def complete(self) -> bool:
        """Whether `data` is the result; where no status word came, its content tells."""
        if self.status:
            return _word(self.status) == COMPLETE
        return self.data is not None and not self.data.blank

    @property
    def failed(self) -> bool:
        """Whether there will be no result: `failed`, `error` or `cancelled`."""
        return _word(self.status) in FAILED

    @property
    def pending(self) -> bool:
        """Whether to ask again later: every word that is neither of the others."""
        return not (self.complete or self.failed)


class Lookup(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A lookup that was accepted: its result, or the id that leads to it.

    Survives a restart as JSON: `msgspec.json.encode(lookup)`, and back with
    `msgspec.json.decode(data, type=Lookup)`.
    """

    request_id: str | None = None
    """What the provider calls this lookup, where it says so."""
    result: PersonByEmail | None = None
    """None while it has to be asked for."""


def _word(status: str | None) -> str:
    return (status or "").strip().lower()


def _status(tree: Mapping[str, object]) -> object:
    """The status of a body that may be a bare result: hits are one, so is an empty list of them.

    An empty list beside a status word is not: asking again costs nothing, a result that was paid
    for and missed does.
    """
    hits = tree.get("hits")
    if hits or (isinstance(hits, list) and not tree.get("status")):
        return COMPLETE
    return tree.get("status")
