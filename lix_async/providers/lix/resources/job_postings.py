"""Job postings and the people who hire for them."""

from __future__ import annotations

from ....core.validation import check_type
from .. import models as m
from .. import params as p
from ..endpoints import profiles as e
from .base import Resource


class JobPostings(Resource):
    """`lix.job_postings`: postings by the number in `linkedin.com/jobs/view/<number>`."""

    __slots__ = ()

    async def get(self, job_id: str | int, *, viewer_id: str | None = None) -> m.JobPosting:
        """One job posting.

        The result is an open object, since its fields are not documented.

        Args:
            job_id: The number in linkedin.com/jobs/view/NUMBER.
            viewer_id: The attached account that looks; default the client's `viewer_id`.

        Credits:
            1 standard credit.

        Contract:
            lix.md#enrich.job
        """
        params = p.JobParams(job_id=_digits(job_id), viewer_id=viewer_id)
        return (await self._client.send(e.JOB, params)).value

    async def hirers(self, job_id: str | int, *, viewer_id: str | None = None) -> list[m.Person]:
        """The people who hire for a posting: name, picture, headline and link.

        Args:
            job_id: The number in linkedin.com/jobs/view/NUMBER.
            viewer_id: The attached account that looks; default the client's `viewer_id`.

        Credits:
            1 standard credit.

        Contract:
            lix.md#jobs.hirers
        """
        params = p.JobParams(job_id=_digits(job_id), viewer_id=viewer_id)
        return (await self._client.send(e.HIRERS, params)).value.items


def _digits(job_id: str | int) -> str:
    check_type("job_id (the number in linkedin.com/jobs/view/<id>)", job_id, str | int)
    return str(job_id)
