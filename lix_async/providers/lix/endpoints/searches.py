"""Endpoints of searches, lists and facets.

Contract: lix.md#linkedin-search, lix.md#sales-navigator, lix.md#recruiter, lix.md#facets
"""

from __future__ import annotations

from ....core.endpoint import FREE, Endpoint, standard
from ....core.pagination import Offset, OffsetInUrl, PageInUrl, PageNumber, SinglePage
from .. import models as m
from .. import params as p
from . import ids

LINKEDIN_CAP = 1000
"""The most items that a LinkedIn search returns, whatever its total says (lix.md#paging-caps)."""
SALES_CAP = 2500
"""The same for Sales Navigator and Recruiter."""

_LINKEDIN_PAGES = PageInUrl("url", cap=LINKEDIN_CAP)
_SALES_PAGES = PageInUrl("url", cap=SALES_CAP)

SEARCH_PEOPLE = Endpoint(
    "search.people",
    "GET",
    "/v1/li/linkedin/search/people",
    p.SearchParams,
    m.PeoplePage,
    paging=_LINKEDIN_PAGES,
    credits=standard(1),
    ids=ids.PEOPLE,
    docs="lix.md#search.people",
)
SEARCH_JOBS = Endpoint(
    "search.jobs",
    "GET",
    "/v1/li/linkedin/search/jobs",
    p.JobSearchParams,
    m.JobsPage,
    paging=OffsetInUrl("url", cap=LINKEDIN_CAP),
    credits=standard(1),
    docs="lix.md#search.jobs",
)
SEARCH_POSTS = Endpoint(
    "search.posts",
    "GET",
    "/v1/li/linkedin/search/posts",
    p.PostSearchParams,
    m.PostsPage,
    paging=Offset("start", cap=LINKEDIN_CAP, sequence=True),
    credits=standard(1),
    ids=ids.POSTS,
    docs="lix.md#search.posts",
)
SEARCH_ORGS = Endpoint(
    "search.orgs",
    "GET",
    "/v1/li/linkedin/search/orgs",
    p.SearchParams,
    m.OrganisationsPage,
    paging=_LINKEDIN_PAGES,
    credits=standard(1),
    ids=ids.ORGANISATIONS,
    docs="lix.md#search.orgs",
)
SALES_PEOPLE = Endpoint(
    "sales.search_people",
    "GET",
    "/v1/li/sales/search/people",
    p.SearchParams,
    m.PeoplePage,
    paging=_SALES_PAGES,
    credits=standard(1),
    ids=ids.PEOPLE,
    docs="lix.md#sales.search_people",
)
RECRUITER_PEOPLE = Endpoint(
    "recruiter.search_people",
    "GET",
    "/v1/li/recruiter/search/people",
    p.RecruiterParams,
    m.PeoplePage,
    paging=Offset("start", cap=SALES_CAP, sequence=True),
    credits=standard(1),
    body=("skills", "start"),
    ids=ids.PEOPLE,
    docs="lix.md#recruiter.search_people",
)
SALES_FACETS = Endpoint(
    "facets.sales",
    "GET",
    "/v1/search/sales/facet",
    p.FacetParams,
    m.FacetsPage,
    paging=Offset("start", size="count"),
    credits=FREE,
    docs="lix.md#facets.sales",
)
RECRUITER_FACETS = Endpoint(
    "facets.recruiter",
    "GET",
    "/v1/search/recruiter/facet",
    p.SkillFacetParams,
    m.SkillFacetsPage,
    paging=Offset("start"),
    credits=FREE,
    alternate="/v1/li/recruiter/search/facet",
    docs="lix.md#facets.recruiter",
)
SALES_PEOPLE_FORM = Endpoint(
    "sales.search_people_post",
    "POST",
    "/v1/li/sales/search/people",
    p.SearchParams,
    m.PeoplePage,
    paging=_SALES_PAGES,
    credits=standard(1),
    body=("url", "sequence_id"),
    form=True,
    ids=ids.PEOPLE,
    docs="lix.md#sales.search_people_post",
)
PEOPLE_BY_FILTERS = Endpoint(
    "sales.people_by_filters",
    "GET",
    "/v1/people/search",
    p.FilterParams,
    m.PeoplePage,
    paging=SinglePage(cap=SALES_CAP, sequence=True),
    credits=standard(1),
    ids=ids.PEOPLE,
    docs="lix.md#sales.people_by_filters",
)
SALES_ORGS = Endpoint(
    "sales.search_orgs",
    "GET",
    "/v1/li/sales/search/orgs",
    p.SearchParams,
    m.AccountsPage,
    paging=_SALES_PAGES,
    credits=standard(1),
    ids=ids.ORGANISATIONS,
    docs="lix.md#sales.search_orgs",
)
PEOPLE_LIST = Endpoint(
    "sales.list_people",
    "GET",
    "/v1/li/sales/lists/people",
    p.ListParams,
    m.PeoplePage,
    paging=PageNumber("page", sequence=True),
    credits=standard(1),
    ids=ids.PEOPLE,
    docs="lix.md#sales.list_people",
)
ORGS_LIST = Endpoint(
    "sales.list_orgs",
    "GET",
    "/v1/li/sales/lists/orgs",
    p.ListParams,
    m.AccountsPage,
    paging=PageNumber("page", sequence=True),
    credits=standard(1),
    ids=ids.ORGANISATIONS,
    docs="lix.md#sales.list_orgs",
)
