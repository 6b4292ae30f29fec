"""The addresses of database servers: a check that keeps passwords out of messages."""

from __future__ import annotations

import re
import urllib.parse

from .errors import ConfigurationError

_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"(?:\[[^\[\]]*\]|[^:\[\]]*)(?::[0-9]*)?")
_OPTION = re.compile(r"\w+=.*", re.DOTALL)


def check_server_address(address: str) -> None:
    """Check that the parts of a URL are where its password lets a driver find them.

    A raw `@`, `/`, `?`, `#`, `[` or `%` may end a password early. Drivers then take the rest for a
    host, a port or a path, connect to it, and print it. What is no URL is left to the driver.

    Raises:
        ConfigurationError: They are not. The message shows no part of the address.
    """
    problem = address_problem(address)
    if problem:
        del address  # a traceback may show local variables
        raise ConfigurationError(problem)


def address_problem(address: str) -> str:
    """What `check_server_address` raises; empty for a good address.

    For functions that forget the address before they raise.
    """
    _, mark, rest = address.partition("://")
    if not mark:
        return ""
    server, _, query = rest.partition("?")
    authority, _, path = server.partition("/")
    user, _, hosts = authority.rpartition("@")
    well_formed = (
        _decodes(rest)
        and not set("@[]") & set(user)
        and not (authority and "@" in path)
        and "#" not in server
        and all(_HOST.fullmatch(host) for host in hosts.split(","))
        and all(_OPTION.fullmatch(option) for option in query.split("&") if option)
    )
    return (
        ""
        if well_formed
        else "invalid server address: expected scheme://user:password@host:port/database, with a "
        "percent-encoded password: %40 for @, %2F for /, %25 for %"
    )


def _decodes(text: str) -> bool:
    """Whether what is percent-encoded is text: drivers take neither other bytes nor a NUL."""
    if _BAD_ESCAPE.search(text):
        return False
    try:
        return "\0" not in urllib.parse.unquote(text, errors="strict")
    except UnicodeDecodeError:
        return False
