"""Whom a waterfall asks, in which order, and when it stops; where each field comes from."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from sample_provider import SampleClient

from lix_async.core.endpoint import FREE, UNKNOWN, standard
from lix_async.core.errors import ConfigurationError, NotFoundError, ServerError
from lix_async.waterfall import Profile, Source, Target, Waterfall, steps_of
from lix_async.waterfall.steps import EMAIL, LINK, NAME

from .stub import ADA, AT, Lookup, called, falls, people

pytestmark = pytest.mark.anyio


async def test_steps_are_asked_in_the_given_order_until_the_wanted_is_filled() -> None:
    first = Lookup("one.person", {"full_name": "Ada"}, fills=["email"])
    second = Lookup("two.person", {"email": "ada@example.com"}, price=standard(3))
    third = Lookup("three.person", {"email": "other@example.com"})
    found = await falls(first, second, third).profile(ADA)
    assert (found.full_name, found.email, found.credits) == ("Ada", "ada@example.com", 4)
    assert len(first.asked) == len(second.asked) == 1
    assert not third.asked
    assert found.filled(["email", "full_name"])
    assert found.missing(["email", "phone"]) == {"phone"}


async def test_every_field_says_who_gave_it_when_and_at_what_cost() -> None:
    one = Lookup("one.person", {"full_name": "Ada", "headline": " "})
    two = Lookup("two.person", {"full_name": "A. L.", "headline": "Count"}, price=standard(2))
    found = await falls(one, two, want=("full_name", "headline")).profile(ADA)
    given = Source(
        provider="input", endpoint="input", at=datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        credits=0,
    )  # fmt: skip
    assert found.full_name == "Ada"  # the first answer counts
    assert found.sources == {
        "linkedin_url": given,
        "full_name": Source(provider="One", endpoint="one.person.endpoint", at=AT, credits=1),
        "headline": Source(provider="Two", endpoint="two.person.endpoint", at=AT, credits=2),
    }
    assert all(source.at.tzinfo is not None for source in found.sources.values())


async def test_what_is_known_already_is_not_asked_for() -> None:
    lookup = Lookup("one.person", {"email": "other@example.com"}, needs=(LINK, EMAIL))
    found = await falls(lookup).profile("mailto:ada@example.com")
    assert found.email == "ada@example.com"
    assert found.sources["email"].provider == "input"
    assert not lookup.asked


async def test_the_cheapest_is_first_and_an_unpublished_price_last() -> None:
    dear = Lookup("dear.person", {"email": None}, price=standard(3))
    secret = Lookup("secret.person", {"email": None}, price=UNKNOWN)
    cheap = Lookup("cheap.person", {"email": None})
    free = Lookup("free.person", {"email": None}, price=FREE)
    order: list[str] = []
    for lookup in (dear, secret, cheap, free):
        lookup.answers = [lambda _, name=lookup.step.name: order.append(name) or {}]  # type: ignore[misc, func-returns-value]
    await falls(dear, secret, cheap, free, order="price").profile(ADA)
    assert order == ["free.person", "cheap.person", "dear.person", "secret.person"]


async def test_the_order_by_fill_rate_is_learned_per_credit() -> None:
    poor = Lookup("poor.person", {}, fills=["email"])
    rich = Lookup("rich.person", {"email": "a@example.com"}, price=standard(2))
    waterfall = falls(poor, rich, order="fill", concurrency=1)
    asked: list[tuple[int, int]] = []
    for one in people(5):
        await waterfall.profile(one)
        asked.append((len(poor.asked), len(rich.asked)))
    # Once the cheap one has missed twice, the dear one promises more for a credit.
    assert asked == [(1, 1), (2, 2), (2, 3), (2, 4), (2, 5)]
    poor_stat, rich_stat = waterfall.stats["poor.person"], waterfall.stats["rich.person"]
    assert (poor_stat.asked, poor_stat.filled.total(), poor_stat.credits) == (2, 0, 2)
    assert (rich_stat.asked, rich_stat.filled["email"], rich_stat.credits) == (5, 5, 10)
    assert rich_stat.rate("email") > poor_stat.rate("email")


async def test_what_is_charged_only_when_found_is_learned_to_be_cheap() -> None:
    always = Lookup("always.person", {"email": None})
    seldom = Lookup("seldom.person", {"email": None}, cost=0)
    waterfall = falls(always, seldom, order="fill", concurrency=1)
    async for _ in waterfall.run(people(3)):
        pass
    assert waterfall.stats["seldom.person"].cost(1) == pytest.approx(1 / 4)
    assert waterfall.stats["always.person"].cost(1) == 1


async def test_what_one_step_finds_lets_the_next_one_be_asked() -> None:
    by_link = Lookup("links.person", {"headline": "Count"})
    by_email = Lookup("mails.person", {"linkedin_url": ADA}, needs=(EMAIL,))
    other = Lookup("other.person", {"phone": "1"}, needs=(EMAIL,))
    found = await falls(other, by_link, by_email, want=["headline"]).profile("ada@example.com")
    assert found.headline == "Count"
    assert by_link.asked[0].linkedin_url == ADA
    assert by_link.asked[0].email == "ada@example.com"
    assert not other.asked  # it fills nothing


async def test_a_name_and_a_company_are_enough_where_a_step_takes_them() -> None:
    by_name = Lookup("names.person", {"email": "a@example.com"}, needs=(NAME,))
    target = Target(name="Ada", company="Engines", text="row 7")
    found = await falls(by_name).profile(target)
    assert (found.email, found.full_name, found.company) == ("a@example.com", "Ada", "Engines")
    assert found.target.text == "row 7"


async def test_steps_that_cannot_help_are_not_run() -> None:
    phone = Lookup("phones.person", {"phone": "1"})
    company = Lookup("orgs.company", {"name": "Engines"}, about="company")
    found = await falls(phone, company).profile(ADA)
    assert not found.filled(["email"])
    assert not phone.asked
    assert not company.asked


async def test_until_decides_instead_of_want() -> None:
    name = Lookup("one.person", {"full_name": "Ada"})
    title = Lookup("two.person", {"title": "Count"})
    phone = Lookup("three.person", {"phone": "1"})
    waterfall = falls(name, title, phone, until=lambda found: found.get("title"))
    found = await waterfall.profile(ADA)
    assert (found.full_name, found.title, found.phone) == ("Ada", "Count", None)
    assert (await falls(name, phone, until=lambda _: False).profile(ADA)).phone == "1"


async def test_until_takes_the_names_of_fields_too() -> None:
    name, title = Lookup("one.person", {"full_name": "Ada"}), Lookup("two.person", {"title": "C"})
    for until in (("full_name",), "full_name"):
        found = await falls(name, title, until=until).profile(ADA)
        assert (found.full_name, found.title) == ("Ada", None)
    with pytest.raises(ConfigurationError, match="nonsense"):
        falls(name, until=["nonsense"])


async def test_companies_and_addresses_are_results_of_their_own() -> None:
    org = Lookup("orgs.company", {"name": "Engines", "website": "e.example"}, about="company")
    mail = Lookup("mails.email", {"email": "a@example.com", "full_name": "Ada"})
    company = await falls(org, want=["website"]).company("linkedin.com/company/engines")
    assert (company.name, company.website) == ("Engines", "e.example")
    assert company.linkedin_url == "https://www.linkedin.com/company/engines"
    email = await falls(org, mail).email(ADA)
    assert (email.email, email.full_name, email.linkedin_url) == ("a@example.com", "Ada", ADA)
    assert not hasattr(email, "phone")


@pytest.mark.parametrize(
    "target",
    ["not a target", "https://www.linkedin.com/jobs/view/1234567", Target(name="Ada"), Target(),
     Target(linkedin_url="https://example.com/in/ada"), "https://www.linkedin.com/company/x"],
)  # fmt: skip
async def test_bad_input_is_reported_before_anything_is_sent(target: Target | str) -> None:
    lookup = Lookup("one.person", {"email": "a@example.com"})
    with pytest.raises(ConfigurationError):
        await falls(lookup).profile(target)
    assert not lookup.asked


async def test_links_of_sales_navigator_stay_as_given() -> None:
    lead = "linkedin.com/sales/lead/ACoAAEXAMPLE0001,NAME_SEARCH,abcd"
    lookup = Lookup("one.person", {"email": "a@example.com"})
    found = await falls(lookup).profile(lead)
    assert lookup.asked[0].linkedin_url == f"https://{lead}"
    assert found.linkedin_url is None
    assert Target.of("urn:li:fsd_profile:ACoAAEXAMPLE0001").linkedin_url


async def test_invalid_arguments_are_reported_at_once() -> None:
    one = Lookup("one.person", {"email": "a@example.com"})
    for settings in (
        {"want": ["e-mail"]}, {"want": []}, {"order": "random"}, {"budget": -1},
        {"concurrency": 0},
    ):  # fmt: skip
        with pytest.raises(ConfigurationError):
            falls(one, **settings)
    with pytest.raises(ConfigurationError, match=r"two steps are named one\.person"):
        falls(one, one)
    assert len(falls(one, called(one, "one.again")).steps) == 2
    with pytest.raises(ConfigurationError, match="belongs to Company"):
        await falls(one).company("https://www.linkedin.com/company/x")


async def test_a_client_without_steps_is_skipped_and_refused_alone() -> None:
    client = SampleClient({})
    assert steps_of(client) == ()
    with pytest.raises(ConfigurationError, match="has no adapter"):
        Waterfall([client])
    assert Waterfall([client, Lookup("one.person", {"email": None}).step]).skipped == {
        "Sample": "Sample has no adapter"
    }


async def test_a_result_is_json_with_its_errors_as_texts() -> None:
    missed = Lookup("one.person", NotFoundError("not found"), fills=["email"])
    broken = Lookup("two.person", ServerError("down", status=503), fills=["email"])
    waterfall = falls(missed, broken)
    found = await waterfall.profile(ADA)
    tree = msgspec.json.decode(msgspec.json.encode(found, enc_hook=str))
    assert tree["errors"] == {"one.person": "not found", "two.person": "down (503)"}
    assert tree["sources"]["linkedin_url"]["provider"] == "input"
    assert waterfall.stats["one.person"].failed == 0  # it answered that there is no such person
    assert waterfall.stats["two.person"].failed == 1
    assert isinstance(found, Profile)
