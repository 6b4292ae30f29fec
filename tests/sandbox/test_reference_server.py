"""The requests of the vendor's public example programs, with only the host changed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from lix_async.sandbox import Sandbox

from .sandbox_helpers import NOON

if TYPE_CHECKING:
    import httpx

    from .sandbox_helpers import Client

pytestmark = pytest.mark.anyio
# No listing has more pages than the caps allow: 1000 items, ten on a page.
MAX_PAGES = 100


async def test_people_search_by_page_in_the_url(sandbox: Sandbox, client: Client) -> None:
    search = "https://www.linkedin.com/search/results/people/?keywords=growth&origin=SWITCH"
    people: list[dict] = []  # type: ignore[type-arg]
    start, sequence = 0, None
    async with client(sandbox) as http:
        for _ in range(MAX_PAGES):
            params = {"url": f"{search}&page={start // 10 + 1}"}
            if sequence:
                params["sequence_id"] = sequence
            result = (await http.get("/v1/li/linkedin/search/people", params=params)).json()
            people += result["people"]
            sequence = result["meta"]["sequenceId"]
            paging = result.get("response", result)["paging"]
            start = paging["start"] + paging["count"]
            if start >= paging["total"]:
                break
    assert len(people) == paging["total"] > 100
    links = [person["link"] for person in people if person["link"]]
    assert len(set(links)) == len(links)
    assert sandbox.ledger.totals()["standard"] == len(sandbox.requests) == -(-len(people) // 10)


async def test_lead_search_by_form_up_to_the_total(sandbox: Sandbox, client: Client) -> None:
    search = (
        "https://www.linkedin.com/sales/search/people?query=(filters:List((type:SENIORITY_LEVEL,"
        "values:List((id:6,text:Director,selectionType:INCLUDED)))))"
    )
    sequence, fetched, page = "", 0, 1
    links: list[str] = []
    async with client(sandbox) as http:
        while page <= MAX_PAGES:
            form = {"url": f"{search}&page={page}", "sequence_id": sequence}
            answer = await http.post("/v1/li/sales/search/people", data=form)
            assert answer.status_code == 200
            result = answer.json()
            links += [person["salesNavLink"] for person in result["people"]]
            fetched += result["paging"]["count"]
            sequence = result["meta"]["sequenceId"]
            if fetched >= result["paging"]["total"]:
                break
            page += 1
    assert len(set(links)) == len(links) == result["paging"]["total"]
    assert [one.endpoint for one in sandbox.ledger] == ["sales.search_people_post"] * page


async def test_a_search_with_ids_from_facets(sandbox: Sandbox, client: Client) -> None:
    facet = "/v1/search/sales/facet"
    async with client(sandbox) as http:
        title = (await http.get(f"{facet}?type=TITLE&query=Software engineer")).json()
        company = (await http.get(f"{facet}?type=COMPANY_WITH_LIST&query=Google")).json()
        title = title["data"]["elements"][0]
        company = company["data"]["elements"][0]["children"][0]
        query = (
            "(filters:List((type:CURRENT_TITLE,values:List((id:"
            f"{quote(title['id'], safe='')},text:{quote(title['displayValue'], safe='')},"
            "selectionType:INCLUDED))),(type:CURRENT_COMPANY,values:List((id:"
            f"{quote(company['id'], safe='')},text:{quote(company['displayValue'], safe='')},"
            "selectionType:INCLUDED,parent:(id:0))))))"
        )
        url = f"https://www.linkedin.com/sales/search/people?query={quote(query, safe='')}"
        answer = await http.get(f"/v1/li/sales/search/people?url={quote(url, safe='')}")
        people = answer.json()["people"]
    assert title["displayValue"] == "Software Engineer"
    best = people[0]
    assert best["name"]
    assert best["salesNavLink"].startswith("https://linkedin.com/sales/lead/")
    employers = {person["experience"][0]["organisation"]["name"] for person in people[:3]}
    titles = {person["experience"][0]["title"] for person in people[:3]}
    assert company["displayValue"] in employers or "Software Engineer" in titles


async def get_with_retries(http: httpx.AsyncClient, path: str, now: list[float]) -> httpx.Response:
    """Repeat after a 429, with the delay of the example programs."""
    for _ in range(5):
        answer = await http.get(path)
        if answer.status_code != 429:
            return answer
        now[0] += 3.0
    raise AssertionError("still 429")


async def test_profiles_companies_and_emails_with_retries_on_429(client: Client) -> None:
    now = [0.0]
    sandbox = Sandbox(people=100, organisations=10, clock=lambda: now[0], wall=lambda: NOON)
    async with client(sandbox) as http:
        link = "https://www.linkedin.com/in/new-user-1"
        person = await get_with_retries(http, f"/v1/person?profile_link={link}", now)
        raw = "https://www.linkedin.com/company/some-firm/"
        by_link = await get_with_retries(
            http, f"/v1/organisations/by-linkedin?linkedin_url={raw}", now
        )
        by_domain = await get_with_retries(
            http, "/v1/organisations/by-domain/some-firm.example.com", now
        )
        email = await get_with_retries(http, f"/v1/contact/email/by-linkedin?url={link}", now)
        missing = await get_with_retries(
            http, f"/v1/person?profile_link={link.replace('new', 'missing')}", now
        )
    assert person.json()["name"] == "New User"
    profile = by_link.json()["profile"]
    assert profile["linkedinUrl"] == "https://www.linkedin.com/company/some-firm"
    assert by_link.json()["liOrganisation"]["name"] == profile["name"] == "Some Firm"
    assert by_domain.json()["organisations"][0]["profile"] == profile
    assert email.json()["status"] in ("VALID", "PROBABLE", "UNKNOWN")
    assert missing.status_code == 404
    statuses = [record.status for record in sandbox.requests]
    assert statuses == [200, 429, 200, 429, 200, 429, 200, 429, 404]
