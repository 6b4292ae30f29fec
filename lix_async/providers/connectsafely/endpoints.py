"""The endpoints of the ConnectSafely API.

The API charges no credits; it is limited by quotas per account and day. `group` of an endpoint
names the rate limit that its calls count against; `profile` is a read that also counts against the
120 different profiles of a day.

Contract: connectsafely.md#overview.
"""

from __future__ import annotations

from ...core.endpoint import FREE, AnyEndpoint, Endpoint, endpoints_of
from ...core.pagination import OffsetWhileMore
from ...core.subject_fields import FieldPaths, JobFields, SubjectFields
from ...core.subject_ids import IdGroup
from ...linkedin.fields import organisation_number, public_slug
from . import models as m
from . import params as p

_PERSON = SubjectFields(
    named={
        "name": FieldPaths(("profile.firstName+profile.lastName",)),
        "headline": FieldPaths(("profile.headline",)),
        "location": FieldPaths(
            ("profile.location.geoLocationName", "profile.geoLocation.fullLocation")
        ),
        "slug": FieldPaths(("profile.publicIdentifier",), public_slug),
    },
    jobs=JobFields(
        "experience",
        organisation="companyName",
        ids={"companyUrl": organisation_number},
        period="duration",
        ignored=frozenset({"companyLogoUrl"}),
    ),
    ignored=frozenset(
        {
            *("success", "message", "profileId", "accountId", "cached", "cachedAt", "expiresAt"),
            *("profile.entityUrn", "profile.profilePicture", "profile.supportsFreeEmail"),
            *("profile.isConnected", "profile.invitationSent", "profile.invitationReceived"),
            *("profile.connectionDegree", "profile.experience", "profile.education"),
            "profile.skills",
        }
    ),
)
_PAGES = OffsetWhileMore("start", token="pagination_token")

# `profileId` of a profile is what was asked for, which LinkedIn may have redirected.
_PROFILE = (IdGroup(own=True, links=("profile.entityUrn",), names=("profile.publicIdentifier",)),)
_RELATIONSHIP = (IdGroup(own=True, links=("profileUrn",)),)
_PEOPLE = (IdGroup(at=("people[]",), links=("profileUrn", "profileUrl"), names=("profileId",)),)

PROFILE = Endpoint(
    "connectsafely.profile",
    "POST",
    "/profile",
    p.ProfileParams,
    m.ProfileResult,
    body=p.ProfileParams.__struct_fields__,
    group="profile",
    lookup=True,
    subject="person",
    ids=_PROFILE,
    docs="connectsafely.md#connectsafely.profile",
    fields=_PERSON,
)
PROFILE_GET = Endpoint(
    "connectsafely.profile_get",
    "GET",
    "/profile",
    p.ProfileGetParams,
    m.ProfileResult,
    group="profile",
    lookup=True,
    subject="person",
    ids=_PROFILE,
    docs="connectsafely.md#connectsafely.profile_get",
    fields=_PERSON,
)
ACCOUNT_STATUS = Endpoint(
    "connectsafely.account_status",
    "GET",
    "/account/status",
    p.AccountStatusParams,
    m.AccountStatus,
    group="account",
    docs="connectsafely.md#connectsafely.account_status",
)
ACCOUNT_STATUS_BY_ID = Endpoint(
    "connectsafely.account_status_by_id",
    "GET",
    "/account/{account_id}/status",
    p.AccountParams,
    m.AccountStatus,
    group="account",
    docs="connectsafely.md#connectsafely.account_status_by_id",
)
ACCOUNT_QUOTA = Endpoint(
    "connectsafely.account_quota",
    "GET",
    "/account/{account_id}/quota",
    p.AccountParams,
    m.AccountQuota,
    credits=FREE,
    group="account",
    docs="connectsafely.md#connectsafely.account_quota",
)
RELATIONSHIP = Endpoint(
    "connectsafely.relationship",
    "GET",
    "/relationship/{profile_id}",
    p.RelationshipParams,
    m.Relationship,
    group="read",
    subject="person",
    ids=_RELATIONSHIP,
    docs="connectsafely.md#connectsafely.relationship",
)
RELATIONSHIP_BY_ACCOUNT = Endpoint(
    "connectsafely.relationship_by_account",
    "GET",
    "/relationship/{account_id}/{profile_id}",
    p.AccountRelationshipParams,
    m.Relationship,
    group="read",
    subject="person",
    ids=_RELATIONSHIP,
    docs="connectsafely.md#connectsafely.relationship_by_account",
)
SEARCH_GROUPS = Endpoint(
    "connectsafely.search_groups",
    "POST",
    "/search/groups",
    p.SearchParams,
    m.GroupsPage,
    paging=_PAGES,
    body=p.SearchParams.__struct_fields__,
    group="read",
    docs="connectsafely.md#connectsafely.search_groups",
)
SEARCH_PEOPLE = Endpoint(
    "connectsafely.search_people",
    "POST",
    "/search/people",
    p.PeopleParams,
    m.PeoplePage,
    paging=_PAGES,
    body=("keywords", "account_id", "count", "start", "url", "filters", "pagination_token"),
    group="read",
    ids=_PEOPLE,
    lookup=True,
    docs="connectsafely.md#connectsafely.search_people",
)
ENDORSE_SKILL = Endpoint(
    "connectsafely.endorse_skill",
    "POST",
    "/endorse-skill",
    p.EndorseParams,
    m.Endorsement,
    idempotent=False,
    body=p.EndorseParams.__struct_fields__,
    group="write",
    docs="connectsafely.md#connectsafely.endorse_skill",
)
HEALTH = Endpoint(
    "connectsafely.health",
    "GET",
    "/health",
    p.HealthParams,
    m.Health,
    rooted=True,
    docs="connectsafely.md#connectsafely.health",
)

TABLE = endpoints_of(globals())
"""Every endpoint."""

BY_ID: dict[str, AnyEndpoint] = {endpoint.id: endpoint for endpoint in TABLE}
"""Every endpoint by its catalogue id."""
