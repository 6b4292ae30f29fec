"""LookC: the person behind an e-mail address, and the company behind its domain."""

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
"""Seconds that a lookup in the background is waited for, as by `AsyncLookC.person_by_email`."""

FieldReader = Callable[[PersonByEmail], dict[str, str | None]]


def person(value: PersonByEmail) -> dict[str, str | None]:
    """A person's fields, where exactly one person matches: of several, nobody knows which."""
    hit = value.hits[0] if len(value.hits) == 1 else None
    org = value.org
    return {
        "full_name": hit.name if hit else None,
        "linkedin_url": hit.profile_url if hit else None,
        "company": org.name if org else None,
        "company_url": org.li_profile_url if org else None,
    }


def organisation(value: PersonByEmail) -> dict[str, str | None]:
    """The fields of the company that the mail domain belongs to."""
    org = value.org
    return {
        "name": org.name if org else None,
        "linkedin_url": org.li_profile_url if org else None,
    }


def steps(client: Client) -> tuple[Step, ...]:
    """`lookc.person` and, for companies, `lookc.organisation`: 1 org credit each."""

    def looking(read: FieldReader) -> Callable[[Target], Awaitable[StepResult]]:
        async def look(target: Target) -> StepResult:
            params = PersonByEmailParams(email=target.email)
            answer = await client.send(PERSON_BY_EMAIL, params)
            result = PersonByEmail()
            failed: LixError | None = None
            try:
                lookup = accepted(answer)
                result = lookup.result or await wait_for(
                    client, lookup.request_id or "", LOOKUP_TIMEOUT, at_once=False
                )
            except LixError as error:  # the lookup is paid for all the same
                failed = error
            return step_result(client, PERSON_BY_EMAIL, answer, read(result), failed)

        return look

    provider, row = client.provider.name, PERSON_BY_EMAIL
    return (
        Step(
            name="lookc.person",
            provider=provider,
            endpoint=row.id,
            fills=frozenset(person(PersonByEmail())),
            needs=(EMAIL,),
            lookup=looking(person),
            price=row.credits,
        ),
        Step(
            name="lookc.organisation",
            provider=provider,
            endpoint=row.id,
            fills=frozenset(organisation(PersonByEmail())),
            needs=(EMAIL,),
            lookup=looking(organisation),
            about="company",
            price=row.credits,
        ),
    )
