"""Canonical forms of params: calls with equal ones ask the same thing, however they are written.

The field of a params struct names its form in its annotation, as `profile_link: ProfileLink | None`
does. A param without one is compared as the value that is sent. No form is chosen by a value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Literal, TypeAlias, cast, get_args

import msgspec

from .models import Params
from .subject_ids import IdForm

_LOWER_ASCII = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_WEBSITE = re.compile(
    r"(?:(?:[A-Za-z][A-Za-z0-9+.-]*:)?//)?([^\s/?#@:\\\[\]]+)(?::[0-9]*)?(?:[/?#].*)?"
)


class CanonicalForm(msgspec.Struct, frozen=True):
    """What two texts of a param are compared by."""

    of: Callable[[str], str]
    """The canonical form of a text. Never raises: a text that it cannot read is its own form."""
    sent: Callable[[str], str] | None = None
    """The text to send for a given one. Raises `ConfigurationError` where there is none."""
    names: IdForm | Literal["another"] | None = None
    """The id in a param that names what the call asks about; `another` where it names that and has
    no id of LinkedIn or Lix."""


def email_form(text: str) -> str:
    """An e-mail address: the domain in IDNA, ASCII letters in lower case, the rest in NFC.

    Servers may distinguish other letters of the local part, so their case stays.
    """
    name, at, domain = unicodedata.normalize("NFC", text.strip()).rpartition("@")
    return f"{name}{at}".translate(_LOWER_ASCII) + _host_form(domain)


def website_form(text: str) -> str:
    """The host of a URL or a bare domain, which is all that a server takes from it.

    Contract: lix.md#organisation.by_website. `www.` stays: whether it counts is not stated.
    """
    found = _WEBSITE.fullmatch(text.strip())
    return text if found is None else _host_form(found[1]).removesuffix(".")


def _host_form(host: str) -> str:
    if not host.isascii():
        import idna  # late: a dependency of httpx, needed for few domains

        try:
            return idna.encode(host, uts46=True).decode()
        except (idna.IDNAError, UnicodeError):
            pass
    return host.translate(_LOWER_ASCII)


EmailAddress: TypeAlias = Annotated[str, CanonicalForm(email_form, names="another")]
Website: TypeAlias = Annotated[str, CanonicalForm(website_form, names="another")]


@cache
def canonical_forms(kind: type[Params]) -> Mapping[str, CanonicalForm]:
    """The canonical forms that the fields of a params struct name, by field."""
    forms: dict[str, CanonicalForm] = {}
    for field in msgspec.structs.fields(kind):
        parts = (field.type, *cast("tuple[object, ...]", get_args(field.type)))
        for form in (item for part in parts for item in getattr(part, "__metadata__", ())):
            if isinstance(form, CanonicalForm):
                forms[field.name] = form
    return forms
