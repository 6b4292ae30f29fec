"""Where ids stand together in the answers of Lix.

Contract: lix.md#id-lookup, lix.md#person, lix.md#actor, lix.md#organisation.followers,
lix.md#organisation.by_linkedin, lix.md#organisation.by_website, lix.md#conversations.list. Not
learned from: names, e-mail addresses, websites (several organisations match), and `id` of an
organisation, which no call takes.
"""

from __future__ import annotations

from msgspec.structs import replace

from ....core.subject_ids import IdGroup

_ENVELOPES = ("", "searchResponse.", "response.")


def _items(*names: str) -> tuple[str, ...]:
    return tuple(f"{envelope}{name}[]" for envelope in _ENVELOPES for name in names)


def _inside(*objects: str, of: tuple[str, ...]) -> tuple[str, ...]:
    """Names of fields, alone and inside of each object."""
    return tuple(f"{name}{field}" for name in ("", *(f"{one}." for one in objects)) for field in of)


_PERSON = IdGroup(
    links=("link", "salesNavLink", "socialAccounts.linkedin.url"),
    names=("liId", "socialAccounts.linkedin.username"),
    sales=("salesNavId",),
)
_LINKS = ("links.liProfileURL", "links.salesNavURL", "links.recruiterURL")
_FLAGSHIP = ("liID", "liFlagshipID", "flagshipID", "li_flagship_id")
_LIX = ("uuid", "lixID", "lix_id")
_SALES = ("salesNavID", "sales_nav_id")
_ACTOR = IdGroup(links=("link", "url", "salesNavLink"), names=("li_id", "liId"))
_ORGANISATION = IdGroup(
    subject="organisation",
    links=("link", "salesNavLink", "linkedinUrl", "salesNavUrl"),
)
_WRAPPERS = ("personIds", "person_ids")
_ORGANISATION_WRAPPERS = ("organisationIds", "organisation_ids")

PERSON = (
    replace(_PERSON, own=True),
    replace(_PERSON, at=("relatedPersons[]",), nested="relatedPersons"),
)
PEOPLE = (replace(_PERSON, at=_items("people"), nested="relatedPersons"),)
PERSON_IDS = (
    IdGroup(
        own=True,
        links=_inside(*_WRAPPERS, of=_LINKS),
        names=_inside(*_WRAPPERS, of=_FLAGSHIP),
        sales=_inside(*_WRAPPERS, of=_SALES),
        lix=_inside(*_WRAPPERS, of=_LIX),
    ),
)
ORGANISATION_IDS = (
    IdGroup(
        subject="organisation",
        own=True,
        links=_LINKS,
        names=_inside(*_ORGANISATION_WRAPPERS, of=_FLAGSHIP),
        sales=_inside(*_ORGANISATION_WRAPPERS, of=_SALES),
        lix=_inside(*_ORGANISATION_WRAPPERS, of=_LIX),
    ),
)
ORGANISATION = (
    replace(
        ORGANISATION_IDS[0],
        links=(*_LINKS, *_inside("liOrganisation", "profile", of=_ORGANISATION.links)),
    ),
)
WEBSITE_MATCHES = (
    IdGroup(
        subject="organisation",
        at=_items("organisations", "orgs"),
        links=_inside("profile", of=_ORGANISATION.links),
        names=tuple(f"org.{name}" for name in _FLAGSHIP),
        sales=tuple(f"org.{name}" for name in _SALES),
        lix=tuple(f"org.{name}" for name in _LIX),
    ),
)
ORGANISATIONS = (replace(_ORGANISATION, at=_items("orgs", "organisations", "posts", "people")),)
FOLLOWERS = (IdGroup(at=("followers[]",), links=("entityUrn",), names=("publicIdentifier",)),)
CONNECTIONS = (
    IdGroup(
        at=("connections_response.elements[]", "elements[]"),
        links=("entityUrn", "link", "profileUrl"),
        names=("publicIdentifier",),
    ),
)
COMMENTS = (replace(_ACTOR, at=("comments[].author",)),)
REACTIONS = (
    replace(
        _ACTOR,
        at=("reactions[].reactors[]", "reactions[].actor", "reactions[].post_actor"),
    ),
)
POSTS = (replace(_ACTOR, at=tuple(f"{one}.actor" for one in _items("posts"))),)
POST = (replace(_ACTOR, at=("actor",)),)
_SENDER = IdGroup(
    links=("senderHostIdentityUrn", "senderProfileUrl"), names=("senderPublicIdentifier",)
)
CONVERSATIONS = (
    IdGroup(
        at=("conversations[].participants[]",),
        links=("hostIdentityUrn", "profileUrl"),
        names=("publicIdentifier",),
    ),
    replace(_SENDER, at=("conversations[].lastMessage",)),
)
MESSAGES = (replace(_SENDER, at=("messages[]",)),)
_PARTICIPANTS = ("data.participants[]", "data.elements[].participants[]")
THREADS = (IdGroup(at=_PARTICIPANTS), IdGroup(at=("included[]",), members=("objectUrn",)))
