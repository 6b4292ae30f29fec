"""URNs: LinkedIn's own names for things, as the API sends and accepts them.

The form is `urn:li:<type>:<key>`, where the key is one value or `(a,b,c)`. Where each type is used:
lix.md#encoding, lix.md#connections.send, lix.md#person.employment, lix.md#enrich.post,
lix.md#sales.threads, lix.md#recruiter.search_people, lix.md#conversations.list.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from lix_async.core.errors import ConfigurationError

from .address import decoded, page, shown, stripped, visible
from .kinds import ENCODED, Link

_URN = re.compile(r"urn:li:([A-Za-z][A-Za-z0-9_]*):(\S+)", re.IGNORECASE)
# `urn:li:activity:<digits>` in a feed URL, `…-activity-<digits>-AbCd` in a post's own.
_POST = re.compile(r"\b(activity|ugcPost|share):([0-9]{1,20})(?![0-9])", re.IGNORECASE)
_POST_SLUG = re.compile(r"[-_](activity|ugcPost|share)-([0-9]{15,20})(?![0-9])", re.IGNORECASE)
_POSTS = {"activity": "activity", "ugcpost": "ugcPost", "share": "share"}
_THREAD = re.compile(r"[A-Za-z0-9_=+/-]+")
_TOKEN = re.compile(r"(?!(?:undefined|null)$)[A-Za-z0-9_-]+")


def is_urn(text: str) -> bool:
    """Whether a text begins like a LinkedIn URN, percent-encoded or not."""
    return stripped(text)[:8].lower().startswith(("urn:", "urn%3a"))


def from_urn(text: str) -> Link:
    """What a URN names. Types without a page of their own are `unknown`, with `id` and `urn`.

    Raises:
        ConfigurationError: The text is not a LinkedIn URN, or its key does not fit its type.
    """
    plain = visible(decoded(stripped(text)))
    found = _URN.fullmatch(plain)
    if not found:
        raise ConfigurationError(
            f"{shown(plain)} is not a LinkedIn URN: expected urn:li:<type>:<key>"
        )
    type_, key = found.groups()
    read = _TYPES.get(type_)
    if read is None:
        return Link("unknown", id=key, urn=f"urn:li:{type_}:{key}")
    link = read(key)
    if link is None:
        raise ConfigurationError(f"{shown(plain)} does not have the id of a {type_}")
    return link


def company(digits: str) -> Link | None:
    """The organisation with these digits."""
    if not (digits.isascii() and digits.isdigit()):
        return None
    return Link("organisation", digits, page("company", digits), f"urn:li:organization:{digits}")


def account(digits: str) -> Link | None:
    """A company on Sales Navigator, where it has the same digits as on LinkedIn."""
    link = company(digits)
    return link and Link("account", digits, page("sales", "company", digits), link.urn)


def lead(key: str) -> Link | None:
    """A Sales Navigator person from `<id>,<auth type>,<auth token>`.

    Only the id is required. The URN needs all three (lix.md#sales.threads), and `undefined` is not
    a token.
    """
    id_, *proof = key.strip("()").split(",")
    if not _TOKEN.fullmatch(id_):
        return None
    whole = len(proof) == 2 and all(_TOKEN.fullmatch(part) for part in proof)
    urn = f"urn:li:fs_salesProfile:({id_},{','.join(proof)})" if whole else None
    return Link("lead", id_, page("sales", "lead", id_), urn)


def person(id_: str) -> Link | None:
    """A person from an encoded profile id."""
    if not ENCODED.fullmatch(id_):
        return None
    return Link("person", id_, page("in", id_), f"urn:li:fsd_profile:{id_}")


def job(digits: str) -> Link | None:
    """A job posting from its digits."""
    if not (digits.isascii() and digits.isdigit()):
        return None
    return Link("job", digits, page("jobs", "view", digits), f"urn:li:jobPosting:{digits}")


def post(type_: str, digits: str) -> Link:
    """A post from its digits; `type_` is `activity`, `ugcPost` or `share`."""
    urn = f"urn:li:{type_}:{digits}"
    return Link("post", digits, page("feed", "update", urn), urn)


def post_in(text: str) -> Link | None:
    """The first post that is named anywhere in a text."""
    found = _POST.search(text) or _POST_SLUG.search(text)
    return post(_POSTS[found[1].lower()], found[2]) if found else None


def thread(id_: str) -> Link | None:
    """A conversation from its id."""
    if not _THREAD.fullmatch(id_):
        return None
    return Link("thread", id_, page("messaging", "thread", id_), f"urn:li:messagingThread:{id_}")


def sales_thread(key: str) -> Link | None:
    """A Sales Navigator conversation from its id."""
    if not _THREAD.fullmatch(key):
        return None
    return Link("thread", key, page("sales", "inbox", key), f"urn:li:fs_salesMessagingThread:{key}")


def _conversation(key: str) -> Link | None:
    # (<viewer>,<conversation id>), lix.md#conversations.list. Calls take the whole URN.
    link = thread(key.strip("()").rsplit(",", 1)[-1])
    return link and msgspec.structs.replace(link, urn=f"urn:li:msg_conversation:{key}")


def _post_of(type_: str) -> Callable[[str], Link | None]:
    return lambda key: post(type_, key) if re.fullmatch("[0-9]{1,20}", key) else None


_TYPES: dict[str, Callable[[str], Link | None]] = {
    "activity": _post_of("activity"),
    "ugcPost": _post_of("ugcPost"),
    "share": _post_of("share"),
    "fsd_update": post_in,
    "fs_updateV2": post_in,
    "organization": company,
    "company": company,
    "fsd_company": company,
    "fs_miniCompany": company,
    "fs_normalized_company": company,
    "fs_salesCompany": account,
    "fs_profile": person,
    "fsd_profile": person,
    "fs_normalized_profile": person,
    "fs_miniProfile": person,
    "fs_salesProfile": lead,
    "jobPosting": job,
    "fsd_jobPosting": job,
    "messagingThread": thread,
    "msg_conversation": _conversation,
    "fs_salesMessagingThread": sales_thread,
}
