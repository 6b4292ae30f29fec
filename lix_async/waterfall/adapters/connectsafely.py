"""ConnectSafely: people by profile link."""

from __future__ import annotations

from ...engine.client import Client
from ...linkedin import classify, public_identifier
from ...providers.connectsafely.client import AsyncConnectSafely
from ...providers.connectsafely.endpoints import PROFILE
from ...providers.connectsafely.models import ProfileResult
from ...providers.connectsafely.params import ProfileParams
from ..steps import LINK, Step, StepResult, step_result
from ..targets import Target

CLIENT = AsyncConnectSafely
NO_STEPS_REASON = ""


def person(value: ProfileResult) -> dict[str, str | None]:
    """The fields of a person. Title and company are those of the first job without an end."""
    profile = value.profile
    jobs = value.experience or []
    job = next((job for job in jobs if "present" in (job.duration or "").lower()), None)
    slug = profile.public_identifier
    place = profile.geo_location.full_location if profile.geo_location else None
    return {
        "full_name": profile.name,
        "headline": profile.headline,
        "location": place or (profile.location.geo_location_name if profile.location else None),
        "linkedin_url": classify(f"https://www.linkedin.com/in/{slug}").url if slug else None,
        "title": job.title if job else None,
        "company": job.company_name if job else None,
        "company_url": job.company_url if job else None,
    }


def steps(client: Client) -> tuple[Step, ...]:
    """`connectsafely.profile`.

    A link of Sales Navigator raises `ConfigurationError` before anything is sent, because this API
    takes public profiles.

    Credits: none; each lookup counts towards the account's profiles of the day.
    """

    async def profile(target: Target) -> StepResult:
        params = ProfileParams(
            profile_id=public_identifier(target.linkedin_url or ""),
            include_geo_location=True,
            include_experience=True,
        )
        answer = await client.send(PROFILE, params)
        return step_result(client, PROFILE, answer, person(answer.value))

    return (
        Step(
            name="connectsafely.profile",
            provider=client.provider.name,
            endpoint=PROFILE.id,
            fills=frozenset(person(ProfileResult())),
            needs=(LINK,),
            lookup=profile,
            price=PROFILE.credits,
        ),
    )
