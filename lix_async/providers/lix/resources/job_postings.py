"""Job postings and who hires."""

from __future__ import annotations

from ....core.validation import check_type
from ..endpoints.profiles import HIRERS, JOB
from ..models import JobPosting, Person
from ..params import JobParams
from .base import Resource


class JobPostings(Resource):
    """`lix.job_postings`."""

    __slots__ = ()

    async def get(self, job_id: str | int, *, viewer_id: str | None = None) -> JobPosting:
        """One job posting, an open object: no document says what is in it.

        `job_id` is the number in `linkedin.com/jobs/view/…`. 1 standard credit.

        Contract: lix.md#enrich.job
        """
        params = JobParams(job_id=_digits(job_id), viewer_id=viewer_id)
        return (await self._client.send(JOB, params)).value

    async def hirers(self, job_id: str | int, *, viewer_id: str | None = None) -> list[Person]:
        """Who hires for a posting: name, picture, headline and link.

        1 standard credit.

        Contract: lix.md#jobs.hirers
        """
        params = JobParams(job_id=_digits(job_id), viewer_id=viewer_id)
        return (await self._client.send(HIRERS, params)).value.items


def _digits(job_id: str | int) -> str:
    check_type("job_id (the number in linkedin.com/jobs/view/<id>)", job_id, str | int)
    return str(job_id)
