"""The link inside a link that redirects: of mail filters, of search engines, of LinkedIn itself."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import unquote

from ...linkedin.address import SITE
from ...linkedin.fields import is_linkedin_url

_HTTP = re.compile(r"https?://", re.IGNORECASE)
_URLDEFENSE = re.compile(r"https?://urldefense(?:\.proofpoint)?\.com/(v[123])/(.*)", re.IGNORECASE)
_V3 = re.compile(r"__(.+?)__;([^!]*)!")
_V3_RUN = re.compile(r"\*\*(.)|\*")
_V3_LENGTHS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_ONE_SLASH = re.compile(r"(https?:/)(?=[^/])", re.IGNORECASE)
_BETWEEN = re.compile(r"[?&#;/]")


def links_inside(text: str) -> Iterator[str]:
    """The http links that a link contains: in a parameter, percent-encoded or not, or in its path.

    Outlook Safe Links, Google, Facebook, LinkedIn's own redirects and sign-in pages, the Wayback
    Machine, Barracuda, Cisco and Sophos write them so; Proofpoint has notations of its own.
    """
    if found := _URLDEFENSE.match(text):
        yield from _of_proofpoint(found[1].lower(), found[2])
    _, _, query = text.partition("?")
    for parameter in re.split("[&#;]", query):
        value = parameter.partition("=")[2]
        if (start := value.find("aHR0c", 0, 8)) >= 0:  # `http` in base64
            yield from _of_base64(unquote(value[start:]))
        decoded = _decoded(value)
        if _HTTP.match(decoded):
            yield decoded
        elif decoded.startswith("/") and is_linkedin_url(text, bare=True):
            yield SITE + decoded  # of its sign-in page
    for part in _BETWEEN.split(text[8:]):  # a path has an encoded link as one segment
        if _HTTP.match(decoded := _decoded(part)):
            yield decoded
    if later := _HTTP.search(text, 8):
        yield text[later.start() :]


def _decoded(text: str) -> str:
    for _ in range(3):
        if "%" not in text or _HTTP.match(text):
            break
        text = unquote(text)
    return text


def _of_base64(text: str) -> Iterator[str]:
    try:
        yield base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return


def _of_proofpoint(version: str, rest: str) -> Iterator[str]:
    if version == "v2":
        found = re.search(r"[?&]u=([^&]*)", rest)
        if found:
            yield unquote(found[1].replace("-", "%").replace("_", "/"))
    elif version == "v3" and (found := _V3.match(rest)):
        try:
            left = iter(base64.urlsafe_b64decode(found[2] + "=" * (-len(found[2]) % 4)).decode())
        except (binascii.Error, UnicodeDecodeError):
            return

        def replaced(run: re.Match[str]) -> str:
            length = 1 if run[1] is None else _V3_LENGTHS.find(run[1]) + 2
            return "".join(next(left, "*") for _ in range(length))

        yield _ONE_SLASH.sub(r"\1/", _V3_RUN.sub(replaced, found[1]), count=1)
