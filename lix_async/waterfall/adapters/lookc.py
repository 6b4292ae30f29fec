"""LookC: a person by e-mail address, and a company by the domain of one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ...core.errors import LixError
from ...engine.client import Client
from ...providers.lookc.client import AsyncLookC
from ...providers.lookc.endpoints import PERSON_BY_EMAIL
from ...providers.lookc.models import PersonByEmail
from ...providers.lookc.params import PersonByEmailParams
from ...providers.lookc.polling import accepted, wait_for
from ..steps import EMAIL, Step, StepResult, step_result
from ..targets import Target

CLIENT = AsyncLookC
NO_STEPS_REASON = ""
LOOKUP_TIMEOUT = 300.0
"""Seconds to wait for a lookup in the background, as in `AsyncLookC.person_by_email`."""

FieldReader = Callable[[PersonByEmail], dict[str, str | None]]


def person(value: PersonByEmail) -> dict[str, str | None]:
    """The fields of a person if exactly one matches; of several, the right one is unknown."""
    hit = value.hits[0] if len(value.hits) == 1 else None
    org = value.org
    return {
        "full_name": hit.name if hit else None,
        "linkedin_url": hit.profile_url if hit else None,
        "company": org.name if org else None,
        "company_url": org.li_profile_url if org else None,
    }


def organisation(value: PersonByEmail) -> dict[str, str | None]:
    """The fields of the company that owns the domain of the address."""
    org = value.org
    return {
        "name": org.name if org else None,
        "linkedin_url": org.li_profile_url if org else None,
    }


def steps(client: Client) -> tuple[Step, ...]:
    """`lookc.person` and, for companies, `lookc.organisation`.

    Credits: 1 org each.
    """

    def lookup(read: FieldReader) -> Callable[[Target], Awaitable[StepResult]]:
        async def find(target: Target) -> StepResult:
            params = PersonByEmailParams(email=target.email)
            answer = await client.send(PERSON_BY_EMAIL, params)
            result = PersonByEmail()
            failure: LixError | None = None
            try:
                accepted_lookup = accepted(answer)
                result = accepted_lookup.result or await wait_for(
                    client, accepted_lookup.request_id or "", LOOKUP_TIMEOUT, at_once=False
                )
            except LixError as error:  # the lookup was charged before
                failure = error
            return step_result(client, PERSON_BY_EMAIL, answer, read(result), failure)

        return find

    provider, endpoint = client.provider.name, PERSON_BY_EMAIL
    return (
        Step(
            name="lookc.person",
            provider=provider,
            endpoint=endpoint.id,
            fills=frozenset(person(PersonByEmail())),
            needs=(EMAIL,),
            lookup=lookup(person),
            price=endpoint.credits,
        ),
        Step(
            name="lookc.organisation",
            provider=provider,
            endpoint=endpoint.id,
            fills=frozenset(organisation(PersonByEmail())),
            needs=(EMAIL,),
            lookup=lookup(organisation),
            about="company",
            price=endpoint.credits,
        ),
    )
