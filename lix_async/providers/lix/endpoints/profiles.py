"""Endpoints of people, organisations, job postings, posts and contacts.

Contract: lix.md#id-lookup, lix.md#people, lix.md#organisations, lix.md#jobs-and-posts,
lix.md#activity, lix.md#jobs.hirers, lix.md#contact
"""

from __future__ import annotations

from ....core.endpoint import Endpoint, Price, org, standard
from ....core.pagination import Cursor, Offset
from ....core.subject_fields import FieldPaths, JobFields, SubjectFields
from ....linkedin.fields import company_slug, organisation_number, public_slug
from .. import models as m
from .. import params as p
from . import ids

_PERSON = SubjectFields(
    named={
        "name": FieldPaths(("name", "firstName+lastName")),
        "headline": FieldPaths(("headline", "description")),
        "location": FieldPaths(("location",)),
        "slug": FieldPaths(("link", "liId"), public_slug),
        "organisation": FieldPaths(("organisation", "current")),
    },
    jobs=JobFields(
        "experience",
        organisation="organisation.name",
        ids={
            "organisation.salesNavLink": organisation_number,
            "organisation.link": organisation_number,
        },
        start=("timePeriod.startedOn", "dateStarted"),
        end=("timePeriod.endedOn", "dateEnded"),
        current="isCurrent",
        ignored=frozenset(
            {
                *("position", "tenureAtPosition", "tenureAtOrg", "seniority", "timePeriod"),
                *("dateStarted", "dateEnded"),
            }
        ),
    ),
    of_jobs=frozenset({"companyUrl", "currentJobs", "pastJobs"}),
    ignored=frozenset(
        {
            *("salesNavLink", "salesNavId", "defaultDBID", "autoScraped", "img", "relatedPersons"),
            *("numSharedConnections", "sharedConnectionNames", "sharedConnectionUrns"),
            *("teamLinkConnectionProfiles", "viewerConnection"),
        }
    ),
)
_ORGANISATION = SubjectFields(
    named={
        "name": FieldPaths(("profile.name", "liOrganisation.name", "organisationIds.name")),
        "location": FieldPaths(("liOrganisation.headquarters", "profile.hqCountry")),
        "slug": FieldPaths(("profile.linkedinUrl", "liOrganisation.link"), company_slug),
        "industry": FieldPaths(("profile.industry", "liOrganisation.industry")),
        "size": FieldPaths(("profile.size", "liOrganisation.size")),
        "website": FieldPaths(("profile.website", "liOrganisation.website")),
        "description": FieldPaths(("profile.description", "liOrganisation.description")),
        "orgType": FieldPaths(("profile.orgType", "liOrganisation.companyType")),
        "foundedYear": FieldPaths(("profile.foundedYear", "liOrganisation.yearFounded")),
        "employeeCount": FieldPaths(("profile.employeeCount", "liOrganisation.liEmployeeCount")),
        "followerCount": FieldPaths(("profile.followerCount", "liOrganisation.followers")),
        "jobOpeningsCount": FieldPaths(
            ("profile.jobOpeningsCount", "liOrganisation.numberOfJobOpenings")
        ),
        "specialities": FieldPaths(("profile.specialities", "liOrganisation.specialities")),
        "stockTickerCode": FieldPaths(
            ("profile.stockTickerCode", "liOrganisation.stockTickerCode")
        ),
        "headquartersAddress": FieldPaths(
            ("profile.headquartersAddress", "liOrganisation.headquartersAddress")
        ),
    },
    ignored=frozenset(
        {
            *("organisationIds", "links", "profile.logoUrl", "profile.salesNavUrl"),
            *("liOrganisation.logoUrl", "liOrganisation.salesNavLink"),
            *("liOrganisation.initialRequestLiId", "liOrganisation.autoScraped"),
        }
    ),
)
_EMPLOYMENT = SubjectFields(
    jobs=JobFields(
        "experiences",
        organisation="companyName",
        ids={"companyUrn": str},
        start=("startDate",),
        end=("endDate",),
    )
)
_TOKEN = Cursor("pagination_token", start="start")
_LAST_WITHOUT_TOKEN = Cursor("pagination_token", start="start", start_alone=False)

PERSON_IDS = Endpoint(
    "ids.person",
    "GET",
    "/v1/person/ids",
    p.IdsParams,
    m.PersonIds,
    credits=org(1),
    subject="person",
    ids=ids.PERSON_IDS,
    docs="lix.md#ids.person",
)
ORGANISATION_IDS = Endpoint(
    "ids.organisation",
    "GET",
    "/v1/organisation/ids",
    p.IdsParams,
    m.OrganisationIds,
    credits=org(1),
    subject="organisation",
    ids=ids.ORGANISATION_IDS,
    docs="lix.md#ids.organisation",
)
PERSON = Endpoint(
    "person.get",
    "GET",
    "/v1/person",
    p.PersonParams,
    m.Person,
    credits=standard(1),
    subject="person",
    ids=ids.PERSON,
    docs="lix.md#person.get",
    fields=_PERSON,
)
LEGACY_PERSON = Endpoint(
    "person.legacy",
    "GET",
    "/v1/api/people/{id}",
    p.LegacyPersonParams,
    m.Person,
    credits=standard(1),
    subject="person",
    ids=ids.PERSON,
    docs="lix.md#person.legacy",
    fields=_PERSON,
)
ORGANISATION = Endpoint(
    "organisation.by_linkedin",
    "GET",
    "/v1/organisations/by-linkedin",
    p.OrganisationParams,
    m.Organisation,
    credits=org(1),
    subject="organisation",
    ids=ids.ORGANISATION,
    docs="lix.md#organisation.by_linkedin",
    fields=_ORGANISATION,
)
JOB = Endpoint(
    "enrich.job",
    "GET",
    "/v1/enrich/job",
    p.JobParams,
    m.JobPosting,
    credits=standard(1),
    docs="lix.md#enrich.job",
)
POST = Endpoint(
    "enrich.post",
    "GET",
    "/v1/enrich/post",
    p.PostParams,
    m.Post,
    credits=standard(1),
    ids=ids.POST,
    docs="lix.md#enrich.post",
)
HIRERS = Endpoint(
    "jobs.hirers",
    "GET",
    "/v1/li/linkedin/jobs/hirers",
    p.JobParams,
    m.PeoplePage,
    credits=standard(1),
    ids=ids.PEOPLE,
    docs="lix.md#jobs.hirers",
)
EMAIL = Endpoint(
    "contact.email_by_linkedin",
    "GET",
    "/v1/contact/email/by-linkedin",
    p.EmailParams,
    m.Email,
    credits=Price("email", 1, only="is_valid"),
    unsure="is_probable",
    subject="person",
    docs="lix.md#contact.email_by_linkedin",
    fields=SubjectFields(),
)
EMPLOYMENT = Endpoint(
    "person.employment",
    "GET",
    "/v1/person/employment",
    p.EmploymentParams,
    m.EmploymentPage,
    credits=standard(1),
    subject="person",
    docs="lix.md#person.employment",
    fields=_EMPLOYMENT,
)
EXTENDED = Endpoint(
    "person.extended",
    "GET",
    "/v1/person/extended",
    p.ExtendedParams,
    m.Extended,
    credits=standard(1),
    subject="person",
    docs="lix.md#person.extended",
    fields=SubjectFields(),
)
ORGANISATIONS_BY_WEBSITE = Endpoint(
    "organisation.by_website",
    "GET",
    "/v1/organisations/by-website",
    p.WebsiteParams,
    m.WebsiteMatches,
    credits=org(1),
    alternate="/v1/organisations/by-domain/{domain}",
    ids=ids.WEBSITE_MATCHES,
    docs="lix.md#organisation.by_website",
)
FOLLOWERS = Endpoint(
    "organisation.followers",
    "GET",
    "/v1/organisations/followers",
    p.FollowersParams,
    m.FollowersPage,
    paging=Offset("start"),
    credits=standard(1),
    ids=ids.FOLLOWERS,
    docs="lix.md#organisation.followers",
)
POST_COMMENTS = Endpoint(
    "enrich.post_comments",
    "GET",
    "/v1/enrich/post/comments",
    p.PostCommentsParams,
    m.CommentsPage,
    paging=_LAST_WITHOUT_TOKEN,
    credits=standard(1),
    ids=ids.COMMENTS,
    docs="lix.md#enrich.post_comments",
)
POST_REACTIONS = Endpoint(
    "enrich.post_reactions",
    "GET",
    "/v1/enrich/post/reactions",
    p.PostReactionsParams,
    m.ReactionsPage,
    paging=_LAST_WITHOUT_TOKEN,
    credits=standard(1),
    ids=ids.REACTIONS,
    docs="lix.md#enrich.post_reactions",
)
ACTIVITY_POSTS = Endpoint(
    "activity.posts",
    "GET",
    "/v1/person/li/activity/posts",
    p.ActivityParams,
    m.ActivityPostsPage,
    paging=_TOKEN,
    credits=standard(1),
    ids=ids.POSTS,
    docs="lix.md#activity.posts",
)
ACTIVITY_COMMENTS = Endpoint(
    "activity.comments",
    "GET",
    "/v1/person/li/activity/comments",
    p.ActivityParams,
    m.CommentsPage,
    paging=_TOKEN,
    credits=standard(1),
    ids=ids.COMMENTS,
    docs="lix.md#activity.comments",
)
ACTIVITY_REACTIONS = Endpoint(
    "activity.reactions",
    "GET",
    "/v1/person/li/activity/reactions",
    p.ActivityParams,
    m.ActivityReactionsPage,
    paging=_TOKEN,
    credits=standard(1),
    ids=ids.REACTIONS,
    docs="lix.md#activity.reactions",
)
