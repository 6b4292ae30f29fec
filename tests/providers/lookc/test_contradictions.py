"""One test for each contradiction in the contract (lookc.md#contradictions)."""

from __future__ import annotations

import httpx
import msgspec
import pytest

from lix_async.core.decoding import decoder_for
from lix_async.core.errors import ConfigurationError, DecodeError, NotFoundError, RefusalError
from lix_async.core.wire import HttpResponse
from lix_async.providers.lookc import endpoints
from lix_async.providers.lookc.client import AsyncLookC
from lix_async.providers.lookc.models import EmployeesPage, PersonByEmail, RequestStatus
from lix_async.providers.lookc.models.lookup import LookupAnswer
from lix_async.sandbox import Sandbox, running

from .stub import COMPLETE, DIRECT, ID, LOOKUP, STATUS, WAITING, Wire, client, sample, says

pytestmark = pytest.mark.anyio

UNKNOWN_ROUTE = says({"error": {"type": "unknown_route"}}, 400)
NOT_FOUND = says({"error": {"type": "not_found", "message": "no such thing"}}, 404)
BARE_404 = says(b"<html>404</html>", 404)


@pytest.mark.parametrize("first", [UNKNOWN_ROUTE, NOT_FOUND, BARE_404])
@pytest.mark.parametrize("second", [COMPLETE, DIRECT])
async def test_1_the_status_has_two_paths(first: HttpResponse, second: HttpResponse) -> None:
    """The path of the sample first, that of the heading as a fallback, also with a bare result."""
    wire = Wire(status=[first], lookup=[second])
    async with client(wire) as lookc:
        status = await lookc.request_status(ID)
        assert status.complete
        assert status.data is not None
        assert status.data.hits[0].name == "Example Person 1"
        assert wire.asked == [(STATUS, {"request_id": ID}), (LOOKUP, {"request_id": ID})]
        await lookc.request_status(ID)
    assert wire.paths[2:] == [LOOKUP], "the path that worked is remembered"


async def test_1_an_id_unknown_to_both_paths_is_not_found() -> None:
    wire = Wire(status=[NOT_FOUND], lookup=[NOT_FOUND])
    lookc = client(wire)
    for _ in range(2):
        with pytest.raises(NotFoundError, match="no such thing") as caught:
            await lookc.request_status(ID)
        assert (caught.value.status, caught.value.kind) == (404, "unknown_route")
    assert wire.paths == [STATUS, LOOKUP, STATUS, LOOKUP]


UNKNOWN_RECORD = says({"error": {"type": "unknown_record", "message": "no such id"}}, 404)
NO_ROUTE = says({"error": {"type": "unknown_route", "message": "no such route"}}, 404)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (NO_ROUTE, UNKNOWN_RECORD),
        (UNKNOWN_RECORD, NO_ROUTE),
        (UNKNOWN_RECORD, UNKNOWN_ROUTE),
        (UNKNOWN_RECORD, UNKNOWN_RECORD),
    ],
)
async def test_1_the_path_that_knows_ids_decides(first: HttpResponse, second: HttpResponse) -> None:
    """If one path does not exist and the other does not know the id, it is not found."""
    wire = Wire(status=[first], lookup=[second])
    lookc = client(wire)
    for ask in (lookc.request_status, lookc.result):
        with pytest.raises(NotFoundError, match="no such id"):
            await ask(ID)
    assert wire.paths == [STATUS, LOOKUP] * 2


async def test_1_two_unknown_paths_are_not_a_missing_record() -> None:
    with pytest.raises(RefusalError, match="no such route") as caught:
        await client(Wire(status=[NO_ROUTE], lookup=[NO_ROUTE])).request_status(ID)
    assert not isinstance(caught.value, NotFoundError)


@pytest.mark.parametrize("closed", [LOOKUP, STATUS])
async def test_1_the_sandbox_can_disable_either_path(closed: str) -> None:
    sandbox = Sandbox(closed=[closed], rate=None)
    with running(sandbox) as url:
        async with AsyncLookC("demo", base_url=url, rate_limit=None) as lookc:
            with pytest.raises(NotFoundError):
                await lookc.request_status(ID)
    assert [fact.path for fact in sandbox.requests] == [STATUS, LOOKUP]


async def test_1_pending_on_the_other_path_is_pending() -> None:
    answers = [WAITING, says({"request_id": ID, "status": "pending", "hits": []}), DIRECT]
    wire = Wire(status=[BARE_404], lookup=[*answers])
    lookc = client(wire)
    assert (await lookc.request_status(ID)).pending
    assert (await lookc.request_status(ID)).pending
    assert (await lookc.request_status(ID)).complete


async def test_2_the_key_is_sent_with_every_call() -> None:
    """The published sample of the status call has no header."""
    seen: list[httpx.Request] = []

    def vendor(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        body = {STATUS: COMPLETE.body, LOOKUP: b'{"requestId":"%s"}' % ID.encode()}
        last = sample("variants/lookc.org_employees.last_page")
        return httpx.Response(200, stream=httpx.ByteStream(body.get(request.url.path, last)))

    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(vendor)) as http,
        AsyncLookC("secret-key", http_client=http) as lookc,
    ):
        handle = await lookc.submit("a+b@example.com")
        await lookc.result(handle)
        await lookc.employees("org").collect()
    assert [request.headers["Authorization"] for request in seen] == ["secret-key"] * 3
    assert {request.url.host for request in seen} == {"api.lookc.io"}
    assert seen[0].url.raw_path == b"/v1/search/person/by-email?email=a%2Bb%40example.com"
    assert {request.headers["Content-Type"] for request in seen} == {"application/json"}


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("example-person-1", "https://www.linkedin.com/in/example-person-1"),
        ("https://linkedin.com/in/x", "https://linkedin.com/in/x"),
        ("http://linkedin.com/in/x", "http://linkedin.com/in/x"),
        ("", None),
        (None, None),
    ],
)
def test_3_a_profile_url_may_be_an_identifier(raw: str | None, normal: str | None) -> None:
    person = _person({"hits": [{"liProfileUrl": raw}]})
    assert (person.hits[0].li_profile_url, person.hits[0].profile_url) == (raw, normal)


@pytest.mark.parametrize(
    ("raw", "sales_nav_id"),
    [
        ("https://linkedin.com/sales/ACwAAEXAMPLE0001,NAME,undefined", "ACwAAEXAMPLE0001"),
        ("https://www.linkedin.com/sales/lead/ACwAA,NAME_SEARCH,x", "ACwAA"),
        ("https://linkedin.com/sales/company/1000001", "1000001"),
        ("https://linkedin.com/sales/company/", None),
        ("", None),
        (None, None),
    ],
)
def test_3_the_sales_navigator_id(raw: str | None, sales_nav_id: str | None) -> None:
    person = _person({"hits": [{"salesNavUrl": raw}], "org": {"salesNavUrl": raw}})
    assert person.org is not None
    assert person.hits[0].sales_nav_url == raw
    assert (person.hits[0].sales_nav_id, person.org.sales_nav_id) == (sales_nav_id, sales_nav_id)


def test_4_links_have_two_names() -> None:
    today = decoder_for(PersonByEmail).read(sample("lookc.person_by_email"))
    first = decoder_for(PersonByEmail).read(sample("variants/lookc.person_by_email.older_keys"))
    assert today == first


def test_5_employees_have_two_forms() -> None:
    links = decoder_for(EmployeesPage).read(sample("lookc.org_employees"))
    preview = decoder_for(EmployeesPage).read(sample("variants/lookc.org_employees.snake"))
    assert links.cursor == preview.cursor == "EXAMPLECURSOR0001"
    assert links.items[0].identity == preview.items[0].identity


@pytest.mark.parametrize("end", ["dateEnded", "date_ended"])
@pytest.mark.parametrize("links", ["salesNav", "sales_nav"])
@pytest.mark.parametrize("org", ["orgId", "org_id", "id"])
def test_5_every_name_in_an_employee(end: str, links: str, org: str) -> None:
    row = {end: "2024-05-01", "links": {links: "lead/x"}, "currentOrg": {org: "o"}}
    body = msgspec.json.encode({"employees": [row]})
    (employee,) = decoder_for(EmployeesPage).read(body).items
    assert employee.date_ended == "2024-05-01"
    assert employee.links is not None
    assert employee.links.sales_nav == "lead/x"
    assert employee.current_org_id("other") == "o"


@pytest.mark.parametrize("name", ["request_id", "requestId", "id"])
def test_the_id_of_a_request_has_three_names(name: str) -> None:
    """Contract: lookc.md#asynchronous-requests"""
    body = msgspec.json.encode({name: ID, "status": "pending"})
    for type_ in (LookupAnswer, RequestStatus):
        assert decoder_for(type_).read(body).request_id == ID


def test_6_paths_have_no_common_prefix() -> None:
    assert [row.path for row in endpoints.TABLE] == [LOOKUP, STATUS, "/org/{org_id}/employees"]


async def test_7_trailing_commas_are_not_accepted() -> None:
    wire = Wire(lookup=[says(b'{"hits": [{"name": "A",},],}')])
    with pytest.raises(DecodeError) as caught:
        await client(wire).person_by_email("a@example.com")
    assert caught.value.body.startswith(b'{"hits"')


async def test_8_the_parameter_is_called_email() -> None:
    """One published text shows the address as if it were part of the path."""
    wire = Wire(lookup=[DIRECT])
    await client(wire).submit("a@example.com")
    assert wire.asked == [(LOOKUP, {"email": "a@example.com"})]


@pytest.mark.parametrize("given", [{}, {"email": "a@b.example", "request_id": "r"}])
async def test_8_exactly_one_of_the_two_is_sent(given: dict[str, str]) -> None:
    row = endpoints.PERSON_BY_EMAIL
    with pytest.raises(ConfigurationError):
        await client(Wire()).send(row, row.params(**given))


async def test_8_the_lookup_path_also_takes_a_request_id() -> None:
    row = endpoints.PERSON_BY_EMAIL
    wire = Wire(lookup=[COMPLETE])
    answer = await client(wire).send(row, row.params(request_id=ID))
    assert answer.value.hits[0].name == "Example Person 1"
    assert wire.asked == [(LOOKUP, {"request_id": ID})]


async def test_only_the_status_call_reads_404_as_an_unknown_path() -> None:
    wire = Wire(lookup=[BARE_404])
    with pytest.raises(RefusalError) as caught:
        await client(wire).submit("a@example.com")
    assert caught.value.kind == "404"
    assert wire.paths == [LOOKUP]


def _person(body: object) -> PersonByEmail:
    return decoder_for(PersonByEmail).read(msgspec.json.encode(body))
