"""What goes out to LookC, under the provider's own names."""

from __future__ import annotations

from ...core.endpoint import at_least, exactly_one, required
from ...core.errors import ConfigurationError
from ...core.models import Params


class PersonByEmailParams(Params, frozen=True, kw_only=True):
    """An e-mail address, or the id of a request that this path is published for as well."""

    email: str | None = None
    request_id: str | None = None

    def check(self) -> None:
        exactly_one(self, "email", "request_id")
        if self.email:
            _check_email(self.email)


class RequestStatusParams(Params, frozen=True, kw_only=True):
    """Which request is asked about."""

    request_id: str

    def check(self) -> None:
        required(self, "request_id")


class OrgEmployeesParams(Params, frozen=True, kw_only=True):
    """Whose employees, from which cursor on, and how many on a page."""

    org_id: str
    after: str | None = None
    page_size: int | None = None

    def check(self) -> None:
        required(self, "org_id")
        at_least(self, "page_size", 1)


def _check_email(email: str) -> None:
    """Refuse what is no address, before a credit is spent on it. Never echoes it: it is private."""
    name, at, domain = email.rpartition("@")
    if not (name and at and domain) or any(char <= " " or char == "\x7f" for char in email):
        raise ConfigurationError("email must be one e-mail address, name@domain without spaces")
