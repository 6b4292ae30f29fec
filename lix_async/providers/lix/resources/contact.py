"""E-mail addresses of LinkedIn profiles."""

from __future__ import annotations

from ....core.errors import ConfigurationError
from ....core.validation import check_type
from .. import models as m
from .. import params as p
from ..endpoints import profiles as e
from .base import Resource


class Contact(Resource):
    """`lix.contact`: e-mail addresses."""

    __slots__ = ()

    async def email(self, url: str, *, recheck: int = 0, pause: float = 3.0) -> m.Email:
        """The e-mail address of a LinkedIn profile, checked by the provider.

        An answer that is only `PROBABLE` may become `VALID` when the call is repeated. The vendor
        advises 5 to 10 repetitions.

        Args:
            url: The link of the profile.
            recheck: How often to repeat the call, at most, while the answer is `PROBABLE`.
            pause: Seconds to wait before each repetition.

        Returns:
            The last answer.

        Raises:
            NotFoundError: No address is known.

        Credits:
            1 email credit for a `VALID` answer, otherwise free. Calling again for a valid address
            may cost again.

        Contract:
            lix.md#contact.email_by_linkedin

        Example:
            ```python
            email = await lix.contact.email("linkedin.com/in/example-person-1", recheck=5)
            ```
        """
        check_type("recheck", recheck, int)
        check_type("pause", pause, float)
        if recheck < 0 or not pause >= 0:
            raise ConfigurationError("recheck and pause must not be negative")
        params = p.EmailParams(url=url)
        found = (await self._client.send(e.EMAIL, params)).value
        client = self._client.with_options(max_age=0.0)  # not what a cache has of it
        while found.is_probable and recheck > 0:
            recheck -= 1
            await client.engine.sleep(pause)
            found = (await client.send(e.EMAIL, params)).value
        return found
