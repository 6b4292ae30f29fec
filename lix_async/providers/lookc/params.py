"""Parameters of the LookC API, under the provider's own names."""

from __future__ import annotations

from ...core.canonical import EmailAddress
from ...core.endpoint import at_least, exactly_one, required
from ...core.errors import ConfigurationError
from ...core.models import Params


class PersonByEmailParams(Params, frozen=True, kw_only=True):
    """`lookc.person_by_email`: an e-mail address, or a request id, which the path also accepts."""

    email: EmailAddress | None = None
    request_id: str | None = None
    """The id of a lookup that was submitted before, instead of the address."""

    def check(self) -> None:
        exactly_one(self, "email", "request_id")
        if self.email:
            _check_email(self.email)


class RequestStatusParams(Params, frozen=True, kw_only=True):
    """`lookc.request_status`."""

    request_id: str

    def check(self) -> None:
        required(self, "request_id")


class OrgEmployeesParams(Params, frozen=True, kw_only=True):
    """`lookc.org_employees`."""

    org_id: str
    after: str | None = None
    """The cursor of the page before, to begin in the middle of the listing."""
    page_size: int | None = None

    def check(self) -> None:
        required(self, "org_id")
        at_least(self, "page_size", 1)


def _check_email(email: str) -> None:
    """Reject what is not an address before it costs a credit.

    The address is private: do not repeat it.
    """
    name, at, domain = email.rpartition("@")
    if not (name and at and domain) or any(char <= " " or char == "\x7f" for char in email):
        raise ConfigurationError("email must be one e-mail address, name@domain without spaces")
