"""Lix: people by link or e-mail address, e-mail addresses by link, organisations by link."""

from __future__ import annotations

from ...engine.client import Client
from ...providers.lix.client import AsyncLix
from ...providers.lix.endpoints.profiles import EMAIL as EMAIL_LOOKUP
from ...providers.lix.endpoints.profiles import ORGANISATION, PERSON
from ...providers.lix.models import Email, Organisation, Person
from ...providers.lix.params import EmailParams, OrganisationParams, PersonParams
from ..steps import EMAIL, LINK, Step, StepResult, step_result
from ..targets import Target

CLIENT = AsyncLix
NO_STEPS_REASON = ""


def person(value: Person) -> dict[str, str | None]:
    """The fields of a person. Title and company are those of the current job."""
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
    """The e-mail address if it is valid; a probable one is left out."""
    return {"email": value.email if value.is_valid else None}


def organisation(value: Organisation) -> dict[str, str | None]:
    """The fields of an organisation."""
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

    Credits: 1 standard; 1 email if the address is valid; 1 org.
    """

    async def find_person(target: Target) -> StepResult:
        link = target.linkedin_url
        params = PersonParams(profile_link=link, email=None if link else target.email)
        answer = await client.send(PERSON, params)
        return step_result(client, PERSON, answer, person(answer.value))

    async def find_email(target: Target) -> StepResult:
        answer = await client.send(EMAIL_LOOKUP, EmailParams(url=target.linkedin_url or ""))
        return step_result(client, EMAIL_LOOKUP, answer, email(answer.value))

    async def find_organisation(target: Target) -> StepResult:
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
            lookup=find_person,
            price=PERSON.credits,
        ),
        Step(
            name="lix.email",
            provider=provider,
            endpoint=EMAIL_LOOKUP.id,
            fills=frozenset(email(Email())),
            needs=(LINK,),
            lookup=find_email,
            price=EMAIL_LOOKUP.credits,
        ),
        Step(
            name="lix.organisation",
            provider=provider,
            endpoint=ORGANISATION.id,
            fills=frozenset(organisation(Organisation())),
            needs=(LINK,),
            lookup=find_organisation,
            about="company",
            price=ORGANISATION.credits,
        ),
    )
