"""Canonical ids of people and organisations, read from links, URNs and bare ids.

An id is of one kind by its form. No id is computed from one of another kind, although the encoded
ones look alike. Nothing here raises: any value may stand in an answer.
"""

from __future__ import annotations

import hashlib
import re
from typing import Literal, TypeAlias, get_args

import msgspec

from lix_async.core.errors import ConfigurationError
from lix_async.core.models import known_id
from lix_async.core.subject_ids import IdForm, SubjectType

from ..core.bridge import ReadableStruct
from .kinds import ENCODED, Link

IdKind: TypeAlias = Literal[
    "profile", "sales", "recruiter", "member", "lix", "organisation", "slug", "company"
]
"""`profile` (ACoAA…), `sales` (ACwAA…), `recruiter` (AEMAA…), `member` (digits), `lix` (Lix's own),
`organisation` (digits): strong. `slug` and `company`, the names in linkedin.com/in/<name> and
linkedin.com/company/<name>: weak."""
WEAK: frozenset[str] = frozenset({"slug", "company"})
"""Kinds whose ids change hands."""
STRONG: frozenset[str] = frozenset(get_args(IdKind)) - WEAK
"""Kinds whose ids never do."""
ORGANISATIONS: frozenset[str] = frozenset({"organisation", "company"})
AliasKey = tuple[str, bytes]
"""Kind and digest of an id: what ledgers store in place of it."""
_PREFIXES: dict[str, IdKind] = {"ACo": "profile", "ACw": "sales", "AEM": "recruiter"}
_PAGE = re.compile(
    r"https?://(?:www\.)?linkedin\.com/(?:(in)|(company)|sales/(company)|sales/(?:lead|people)|"
    r"talent/profile|recruiter/profile)/([A-Za-z0-9_-]+)/?(?:,[^/?#]*)?",
    re.ASCII,
)
"""The usual forms of links; all others are read by `linkedin`."""
_LIX = re.compile(r"[A-Za-z0-9_+/=-]{4,200}")
_DIGITS = re.compile(r"[1-9][0-9]{0,19}", re.ASCII)


class Identifier(ReadableStruct, msgspec.Struct, frozen=True, gc=False):
    """An id in its canonical form."""

    kind: IdKind
    """What kind of id it is, such as the slug of a profile."""
    id: str
    """The id alone, without a link around it."""

    @property
    def is_strong(self) -> bool:
        """Whether it never changes hands."""
        return self.kind not in WEAK

    @property
    def alias(self) -> AliasKey:
        """What a ledger stores in place of it: its kind, and 12 bytes that do not show it."""
        return alias_key(self.kind, self.id)


def alias_key(kind: str, id_: str) -> AliasKey:
    """What a ledger stores in place of an id: its kind, and 12 bytes that do not show it."""
    return kind, hashlib.blake2b(f"{kind} {id_}".encode(), digest_size=12).digest()


def read_id(
    text: object, form: IdForm = "name", subject: SubjectType | None = "person"
) -> Identifier | None:
    """The id in a value; None where it has none, such as a placeholder.

    Args:
        text: The value: any JSON may stand in an answer.
        form: What a field of the kind has.
        subject: What it is about; None where a link decides.
    """
    if isinstance(text, int) and not isinstance(text, bool) and form in ("member", "sales"):
        text = str(text)
    if not isinstance(text, str) or not text:
        return None
    if form == "lix":
        return Identifier("lix", text) if _LIX.fullmatch(text) and known_id(text) else None
    page = _PAGE.fullmatch(text)
    found = _bare(text, form, subject) or _from_link(text) if page is None else _from_page(page)
    if found is None or subject is None or found.kind == "lix":
        return found
    return found if (found.kind in ORGANISATIONS) == (subject == "organisation") else None


def _from_page(page: re.Match[str]) -> Identifier | None:
    person, company, account, name = page.groups()
    if not (company or account):
        found = _encoded(name)
        if found is not None or not person or ENCODED.fullmatch(name):
            return found
    elif _DIGITS.fullmatch(name):
        return Identifier("organisation", name)
    if account or known_id(name) is None:
        return None
    return Identifier("company" if company else "slug", name.lower())


def _encoded(text: str) -> Identifier | None:
    kind = _PREFIXES.get(text[:3])
    return Identifier(kind, text) if kind and ENCODED.fullmatch(text) else None


def _bare(text: str, form: IdForm, subject: SubjectType | None) -> Identifier | None:
    """An id that is not in a link."""
    if form == "link" or "/" in text or ":" in text:
        return None
    text = text.strip()
    organisation = subject == "organisation"
    if not organisation and (found := _encoded(text)) is not None:
        return found
    if _DIGITS.fullmatch(text):
        return Identifier("organisation" if organisation else "member", text)
    if form != "name" or known_id(text) is None or ENCODED.fullmatch(text):
        return None
    from .address import identifier  # late: most ids do not need it

    try:
        name = identifier(text)
    except ConfigurationError:
        return None
    if ENCODED.fullmatch(name):
        return None
    return Identifier("company" if organisation else "slug", name)


def _from_link(text: str) -> Identifier | None:
    from .links import classify  # late, as above

    return _of_link(classify(text))


def _of_link(link: Link) -> Identifier | None:
    name = link.id
    if link.kind == "unknown" and (link.urn or "").lower().startswith("urn:li:member:"):
        return Identifier("member", name) if _DIGITS.fullmatch(name) else None
    if known_id(name) is None:
        return None
    if link.kind in ("lead", "recruiter", "person"):
        if link.kind != "person" or ENCODED.fullmatch(name):
            return _encoded(name)
        return None if "/" in name else Identifier("slug", name)
    if link.kind in ("organisation", "account"):
        if _DIGITS.fullmatch(name):
            return Identifier("organisation", name)
        return Identifier("company", name) if link.kind == "organisation" else None
    return None
