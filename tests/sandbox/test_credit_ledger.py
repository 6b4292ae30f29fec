"""Credits: charges, balances, and 402 when none are left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lix_async.sandbox import Sandbox
from lix_async.sandbox.protocol.errors import ErrorReply
from lix_async.sandbox.state.credit_ledger import Charge, CreditLedger

if TYPE_CHECKING:
    from .sandbox_helpers import Client

pytestmark = pytest.mark.anyio
LINK = "https://www.linkedin.com/in/some-body"


def charge(kind: str = "standard", amount: int = 1, what: str = "{}", request: int = 1) -> Charge:
    return Charge("person.get", what, kind, amount, 0.0, request)


def test_totals_inputs_and_repeats() -> None:
    ledger = CreditLedger({"standard": 5, "email": 1})
    for request, what in enumerate(("a", "b", "a"), 1):
        ledger.charge(charge(what=what, request=request))
    ledger.charge(charge("email"))
    ledger.charge(charge("unknown", 3))
    ledger.charge(charge("free", 0))
    assert ledger.balances == {"standard": 2, "org": 0, "email": 0}
    assert ledger.totals() == {"standard": 3, "org": 0, "email": 1}
    assert len(ledger) == len(list(ledger)) == 4
    assert [one.request for one in ledger.by_input()["person.get", "a"]] == [1, 3]
    assert set(ledger.repeats()) == {("person.get", "a")}
    ledger.reset()
    assert ledger.balances == {"standard": 5, "org": 0, "email": 1}
    assert ledger.charges == []


def test_a_balance_must_cover_the_price() -> None:
    ledger = CreditLedger({"org": 1})
    ledger.check_balance("org", 1)
    ledger.check_balance("unknown", 9)
    ledger.check_any_balance()
    for refuse in (
        lambda: ledger.check_balance("org", 2),
        lambda: ledger.check_balance("standard", 1),
    ):
        with pytest.raises(ErrorReply) as caught:
            refuse()
        assert caught.value.status == 402
    ledger.charge(charge("org"))
    with pytest.raises(ErrorReply):
        ledger.check_any_balance()
    with pytest.raises(ValueError, match="gold"):
        CreditLedger({"gold": 1})


async def test_each_success_is_charged_once_with_its_input(
    sandbox: Sandbox, client: Client
) -> None:
    async with client(sandbox) as http:
        await http.get("/v1/person", params={"profile_link": LINK})
        await http.get("/v1/person", params={"profile_link": LINK.replace("some", "missing-some")})
        await http.get("/v1/person")
        await http.get("/v1/organisation/ids", params={"li_flagship_id": "some-firm"})
        await http.get("/v1/account/allowances/daily")
        await http.get("/v1/account/balances")
        await http.get("/v1/search/sales/facet", params={"query": "a", "type": "TITLE"})
        await http.get("/v1/connections", params={"viewer_id": "sandbox-viewer"})
        balances = (await http.get("/v1/account/balances")).json()
    assert [(one.endpoint, one.kind, one.amount, one.request) for one in sandbox.ledger] == [
        ("person.get", "standard", 1, 1),
        ("ids.organisation", "org", 1, 4),
    ]
    assert sandbox.ledger.charges[0].input == f'{{"profile_link":"{LINK}"}}'
    assert (balances["linkedInBalance"], balances["lookcBalance"]) == (49_999, 9_999)
    assert [record.charged for record in sandbox.requests] == [1, 0, 0, 1, 0, 0, 0, 0, 0]


async def test_the_recorded_input_has_only_the_callers_own_sequence_id(
    sandbox: Sandbox, client: Client
) -> None:
    url = "https://www.linkedin.com/search/results/people/?keywords=a"
    async with client(sandbox) as http:
        await http.get("/v1/li/linkedin/search/people", params={"url": url, "sequence_id": "mine"})
        await http.get("/v1/li/linkedin/search/people", params={"url": url})
        await http.get("/v1/li/linkedin/search/people", params={"url": url})
    inputs = [one.input for one in sandbox.ledger]
    assert inputs[0] == f'{{"sequence_id":"mine","url":"{url}"}}'
    assert inputs[1] == inputs[2] == f'{{"url":"{url}"}}'
    assert len(sandbox.ledger.repeats()) == 1


async def test_valid_emails_and_sent_invitations_are_charged(
    sandbox: Sandbox, client: Client
) -> None:
    person = {"viewer_id": "sandbox-viewer", "profile_id": "some-body"}
    async with client(sandbox) as http:
        seen = []
        for place in range(30):
            link = sandbox.world.person(place).link
            answer = await http.get("/v1/contact/email/by-linkedin", params={"url": link})
            seen.append(answer.json()["status"])
        paid = sandbox.ledger.totals()["email"]
        assert 0 < paid == seen.count("VALID") < 30
        for _ in range(2):
            await http.post("/v1/connections/send", json=person)
    assert sandbox.ledger.totals()["standard"] == 1
    assert len(sandbox.sent) == 1


async def test_without_credits_all_paid_endpoints_are_402(client: Client) -> None:
    poor = Sandbox(people=50, organisations=5, rate=None, credits={"standard": 1})
    async with client(poor) as http:
        statuses = [
            (await http.get("/v1/search/sales/facet", params={"query": "a", "type": "TITLE"})),
            (await http.get("/v1/organisation/ids", params={"li_flagship_id": "a"})),
            (await http.get("/v1/person", params={"profile_link": LINK})),
            (await http.get("/v1/person", params={"profile_link": LINK})),
            (await http.get("/v1/search/sales/facet", params={"query": "a", "type": "TITLE"})),
            (await http.get("/v1/account/allowances/daily")),
        ]
    assert [answer.status_code for answer in statuses] == [200, 402, 200, 402, 402, 200]
    assert poor.ledger.totals() == {"standard": 1, "org": 0, "email": 0}
