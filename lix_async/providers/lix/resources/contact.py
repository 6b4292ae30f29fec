"""Contact data."""

from __future__ import annotations

from ....core.errors import ConfigurationError
from ....core.validation import check_type
from ..endpoints.profiles import EMAIL
from ..models import Email
from ..params import EmailParams
from .base import Resource


class Contact(Resource):
    """`lix.contact`."""

    __slots__ = ()

    async def email(self, url: str, *, recheck: int = 0, pause: float = 3.0) -> Email:
        """The e-mail address of a LinkedIn profile, after one check.

        A `PROBABLE` answer may become `VALID` when asked again, which the vendor advises to do
        5 to 10 times: `recheck` is how often at most (default 0), with `pause` seconds before
        each. The last answer comes back. Raises `NotFoundError` when nothing is known. 1 email
        credit, only when `VALID`; asking again for a valid one may cost again.

        Contract: lix.md#contact.email_by_linkedin
        """
        check_type("recheck", recheck, int)
        check_type("pause", pause, float)
        if recheck < 0 or not pause >= 0:
            raise ConfigurationError("recheck and pause must not be negative")
        params = EmailParams(url=url)
        found = (await self._client.send(EMAIL, params)).value
        while found.is_probable and recheck > 0:
            recheck -= 1
            await self._client.clock.sleep(pause)
            found = (await self._client.send(EMAIL, params)).value
        return found
