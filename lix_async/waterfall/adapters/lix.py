"""Lix: people by link or e-mail address, addresses by link, organisations by link."""

from __future__ import annotations

from ...engine.client import Client
from ...providers.lix.client import AsyncLix
from ...providers.lix.endpoints.profiles import EMAIL as EMAIL_ROW
from ...providers.lix.endpoints.profiles import ORGANISATION, PERSON
from ...providers.lix.models import Email, Organisation, Person
from ...providers.lix.params import EmailParams, OrganisationParams, PersonParams
from ..steps import EMAIL, LINK, Step, StepResult, step_result
from ..targets import Target

CLIENT = AsyncLix
NO_STEPS_REASON = ""


def person(value: Person) -> dict[str, str | None]:
    """A person's fields. Title and company are those of the first job that is running."""
    job = value.current_position
    employer = job.organisation if job else None
    return {
        "full_name": value.full_name,
        "headline": value.headline or value.description,
        "location": value.location,
        "linkedin_url": value.profile_url,
        "title": job.title if job else None,
        "company": (employer.name if employer else None) or value.organisation or value.current,
        "company_url": (employer.link if employer else None) or value.company_url,
        "email": value.email,
        "phone": value.phone,
    }


def email(value: Email) -> dict[str, str | None]:
    """The address, where it is sure: a probable one is none."""
    return {"email": value.email if value.is_valid else None}


def organisation(value: Organisation) -> dict[str, str | None]:
    """An organisation's fields."""
    return {
        "name": value.name,
        "linkedin_url": value.linkedin_url,
        "website": value.website,
        "industry": value.industry,
        "size": value.size,
        "location": value.headquarters,
    }


def steps(client: Client) -> tuple[Step, ...]:
    """`lix.person`, `lix.email` and, for companies, `lix.organisation`.

    They cost 1 standard credit, 1 e-mail credit when the address is valid, and 1 org credit.
    """

    async def look_person(target: Target) -> StepResult:
        link = target.linkedin_url
        params = PersonParams(profile_link=link, email=None if link else target.email)
        answer = await client.send(PERSON, params)
        return step_result(client, PERSON, answer, person(answer.value))

    async def look_email(target: Target) -> StepResult:
        answer = await client.send(EMAIL_ROW, EmailParams(url=target.linkedin_url or ""))
        return step_result(client, EMAIL_ROW, answer, email(answer.value))

    async def look_organisation(target: Target) -> StepResult:
        link = target.linkedin_url
        params = OrganisationParams(linkedin_url=link)
        if target.page is None:
            params = OrganisationParams(sales_nav_url=link)
        answer = await client.send(ORGANISATION, params)
        return step_result(client, ORGANISATION, answer, organisation(answer.value))

    provider = client.provider.name
    return (
        Step(
            name="lix.person",
            provider=provider,
            endpoint=PERSON.id,
            fills=frozenset(person(Person())),
            needs=(LINK, EMAIL),
            look=look_person,
            price=PERSON.credits,
        ),
        Step(
            name="lix.email",
            provider=provider,
            endpoint=EMAIL_ROW.id,
            fills=frozenset(email(Email())),
            needs=(LINK,),
            look=look_email,
            price=EMAIL_ROW.credits,
        ),
        Step(
            name="lix.organisation",
            provider=provider,
            endpoint=ORGANISATION.id,
            fills=frozenset(organisation(Organisation())),
            needs=(LINK,),
            look=look_organisation,
            about="company",
            price=ORGANISATION.credits,
        ),
    )
