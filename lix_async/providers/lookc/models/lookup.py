"""The lookup by e-mail address and its status.

Contract: lookc.md#asynchronous-requests, lookc.md#lookc.person_by_email,
lookc.md#lookc.request_status, lookc.md#hit, lookc.md#org-ref
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias, cast

import msgspec
from msgspec import field

from ....core.bridge import ReadableStruct
from ....core.models import Model

__all__ = [
    "DomainInfo",
    "Hit",
    "Lookup",
    "LookupAnswer",
    "OrgRef",
    "PersonByEmail",
    "RequestState",
    "RequestStatus",
]

RequestState: TypeAlias = Literal["complete"] | str
"""The state of a request; others may be added."""

PROFILE = "https://www.linkedin.com/in/"
COMPLETE = "complete"
FAILED = frozenset({"failed", "error", "cancelled"})
"""Statuses that end a request without a result. All others but `complete` mean: not yet."""


class _NamedReference(Model):
    """A name with two links, whose keys end in `Link` in the first version of the API."""

    __aliases__: ClassVar[dict[str, str]] = {
        "liProfileLink": "liProfileUrl",
        "salesNavLink": "salesNavUrl",
    }

    name: str | None = None
    """The name."""
    li_profile_url: str | None = None
    """The link to LinkedIn, as it was received: of people often the public identifier alone."""
    sales_nav_url: str | None = None
    """The link to Sales Navigator, as it was received. For people the path segment `lead` is
    missing, so it does not work."""

    @property
    def sales_nav_id(self) -> str | None:
        """The Sales Navigator id in `sales_nav_url`: after the last `/`, up to the first `,`."""
        return (self.sales_nav_url or "").rpartition("/")[2].partition(",")[0] or None


class Hit(_NamedReference):
    """A matching person. `li_profile_url` is a bare public identifier, or a URL."""

    @property
    def profile_url(self) -> str | None:
        """`li_profile_url` as a URL, even if only the public identifier was sent."""
        link = self.li_profile_url
        if not link:
            return None
        return link if link.startswith("http") else PROFILE + link


class OrgRef(_NamedReference):
    """The organisation of the mail domain. `li_profile_url` is a URL."""


class DomainInfo(Model):
    """Facts about the mail domain."""

    is_free_email_domain: bool | None = None
    """Whether it is a free mail provider, which has no organisation."""


class PersonByEmail(Model):
    """The people behind an e-mail address."""

    hits: list[Hit] = field(default_factory=list[Hit])
    """The people at the company that match, in no stated order."""
    org: OrgRef | None = None
    """The organisation of the mail domain; it may be missing for free mail providers."""
    domain_info: DomainInfo | None = None
    """Facts about the mail domain."""

    @property
    def blank(self) -> bool:
        """Whether the answer has no person, no organisation and no domain."""
        return not self.hits and self.org is None and self.domain_info is None


class LookupAnswer(PersonByEmail):
    """The first answer to a lookup: the result, or the id under which it is prepared.

    The second form is not published (lookc.md#asynchronous-requests): the id may be called
    `request_id`, `requestId` or `id`, at the root or under `data`, with or without a status.
    """

    __aliases__: ClassVar[dict[str, str]] = {"requestId": "request_id", "id": "request_id"}
    __markers__: ClassVar[dict[str, str | None]] = {
        "data": None,
        "request_id": None,
        "requestId": None,
        "id": None,
    }

    request_id: str | None = field(default=None, name="request_id")
    """The id under which the result is prepared."""
    status: RequestState | None = None
    """The state of the request; `complete` is the only published word."""

    @classmethod
    def __repair__(cls, tree: dict[str, object]) -> dict[str, object]:
        """Move what is under `data` to the root, and make the status a text."""
        inner = tree.get("data")
        outer = {name: value for name, value in tree.items() if value is not None}
        flat = cast("dict[str, object]", inner) | outer if isinstance(inner, dict) else outer
        return {**flat, "status": _status(flat)}

    @property
    def failed(self) -> bool:
        """Whether the status says that there will be no result."""
        return not self.hits and _word(self.status) in FAILED

    @property
    def pending(self) -> bool:
        """Whether the result has to be polled. An answer with hits is a result in any case."""
        if self.hits or self.failed or _word(self.status) == COMPLETE:
            return False
        return bool(self.request_id) or (self.blank and self.status is not None)

    def result(self) -> PersonByEmail:
        """The result alone."""
        return PersonByEmail(hits=self.hits, org=self.org, domain_info=self.domain_info)


class RequestStatus(Model):
    """The status of a request. Only `complete` is a published value."""

    __aliases__: ClassVar[dict[str, str]] = {"requestId": "request_id", "id": "request_id"}
    __markers__: ClassVar[dict[str, str | None]] = {"hits": None}

    status: RequestState | None = None
    """The state of the request; `complete` is the only published word."""
    data: PersonByEmail | None = None
    """The result, once it is complete."""
    request_id: str | None = field(default=None, name="request_id")
    """The id of the request."""

    @classmethod
    def __repair__(cls, tree: dict[str, object]) -> dict[str, object]:
        """Accept the bare result, which the other path may return.

        Contract: lookc.md#lookc.request_status
        """
        return {**tree, "status": _status(tree), "data": tree}

    @property
    def complete(self) -> bool:
        """Whether `data` is the result. Without a status, its content decides."""
        if self.status:
            return _word(self.status) == COMPLETE
        return self.data is not None and not self.data.blank

    @property
    def failed(self) -> bool:
        """Whether there will be no result: `failed`, `error` or `cancelled`."""
        return _word(self.status) in FAILED

    @property
    def pending(self) -> bool:
        """Whether to poll again: for every status that is neither complete nor failed."""
        return not (self.complete or self.failed)


class Lookup(ReadableStruct, msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A lookup that was accepted: its result, or the id to poll.

    It can be stored as JSON: `msgspec.json.encode(lookup)`, and back with
    `msgspec.json.decode(data, type=Lookup)`.
    """

    request_id: str | None = None
    """The provider's id of this lookup, if it has one."""
    result: PersonByEmail | None = None
    """The result; None if it has to be polled."""


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
