"""Addresses: the parts of a pasted linkedin.com URL.

This does not use `urllib.parse.urlsplit`, which silently drops tabs and line breaks, and accepts
user names, other schemes and hosts that only look alike.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, unquote

import msgspec

from lix_async.core.errors import ConfigurationError

from .kinds import ENCODED

SITE = "https://www.linkedin.com"

_SCHEME = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?//")
_HOST = re.compile(r"(?:[a-z0-9-]+\.)*linkedin\.com\.?(?::(?:80|443)?)?")
_ENCODED_SCHEME = re.compile(r"https?%(?:25)*3a", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NOT_IN_NAMES = re.compile(r'[\s/\\?#%<>"]')
_PAIRS = ('""', "''", "``", "<>", "“”", "‘’", "«»", "„“")
# Invisible characters that spreadsheets, mail programs and messengers put around a link.
_INVISIBLE = "\u200b\u200e\u200f\u2060\ufeff"
# Joiners are needed in emoji and some scripts; every other format character could only deceive.
_JOINERS = "\u200c\u200d"
# The characters that need no escape in a path segment (RFC 3986 section 3.3).
_PATH_SAFE = "!$&'()*+,;=:@"


class LinkedInUrl(msgspec.Struct, frozen=True):
    """A linkedin.com URL: its path decoded and split, its parameters as they were sent."""

    segments: tuple[str, ...]
    query: str = ""
    fragment: str = ""

    def raw(self, name: str) -> str | None:
        """The undecoded value of a parameter after `?`, else after `#`; None if there is none."""
        for part in (self.query, self.fragment):
            if found := re.search(rf"(?:^|[?&]){name}=([^&]*)", part):
                return found[1]
        return None

    @property
    def parameters(self) -> str:
        """`?…` and `#…` unchanged.

        A fragment without `=` is a place on the page and is left out.
        """
        fragment = f"#{self.fragment}" if "=" in self.fragment else ""
        return (f"?{self.query}" if self.query else "") + fragment


def shown(text: str) -> str:
    """A text for error messages: shortened, and without parts that may hold a key or a password."""
    head = re.split(r"[?#&]|%(?:25)*3[fF]", text, maxsplit=1)[0]
    return "the given address" if "@" in head else repr(head[:80])


def stripped(text: str) -> str:
    """The text without surrounding blanks, invisible characters, quotes and brackets."""
    for _ in range(8):
        before = text
        text = text.strip().strip(_INVISIBLE)
        if len(text) > 1 and text[0] + text[-1] in _PAIRS:
            text = text[1:-1]
        if text == before:
            break
    return text


def split(text: str) -> LinkedInUrl:
    """The parts of a LinkedIn URL. Scheme and subdomain are optional.

    Raises:
        ConfigurationError: The text is not an http or https URL on linkedin.com.
    """
    text = visible(stripped(text))
    if _ENCODED_SCHEME.match(text):
        raise ConfigurationError(
            f"{shown(text)} is percent-encoded as a whole: pass the URL as the browser shows it, "
            "the client encodes it"
        )
    scheme = _SCHEME.match(text)
    if scheme and (scheme[1] or "https").lower() not in ("http", "https"):
        raise ConfigurationError(f"{shown(text)} has another scheme: pass an https:// URL")
    rest = text[scheme.end() :] if scheme else text
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    _check_host(authority, text)
    rest, _, fragment = rest[len(authority) :].partition("#")
    path, _, query = rest.partition("?")
    segments = tuple(decoded(part) for part in path.split("/") if part)
    if "\\" in path or "." in segments or ".." in segments:
        raise ConfigurationError(
            f"{shown(text)} has \\ or .. in its path: pass the URL without them"
        )
    return LinkedInUrl(segments, query, fragment)


def _check_host(authority: str, text: str) -> None:
    if "@" in authority:
        raise ConfigurationError("a LinkedIn URL has no user name or password: remove them")
    # Non-ASCII hosts are rejected first: lower() would turn the Kelvin sign into a k.
    if authority.isascii() and _HOST.fullmatch(authority.lower()):
        return
    if authority.lower() == "lnkd.in":
        raise ConfigurationError(
            f"{shown(text)} is a short link: open it and pass the URL that it redirects to"
        )
    raise ConfigurationError(
        f"{shown(text)} is not on linkedin.com: pass a whole URL, such as {SITE}/in/<name> "
        f"or {SITE}/company/<slug>"
    )


def visible(text: str) -> str:
    """The text itself, if it has no control characters.

    Raises:
        ConfigurationError: It has control characters or broken Unicode.
    """
    if _CONTROL.search(text):
        raise ConfigurationError(
            f"{shown(text)} has control characters or broken Unicode: remove them"
        )
    return text


def decoded(text: str) -> str:
    """The text percent-decoded until nothing is left to decode, since exports often encode twice.

    Raises:
        ConfigurationError: An escape is not UTF-8, or stands for a control character.
    """
    if "%" not in text:
        return visible(text)
    try:
        for _ in range(4):
            before, text = text, unquote(text, errors="strict")
            if before == text:
                break
    except UnicodeDecodeError:
        raise ConfigurationError(f"{shown(text)} has escapes that are not UTF-8") from None
    return visible(text)


def identifier(text: str) -> str:
    """A name as LinkedIn compares it: decoded, in lower case and NFC. Encoded ids keep their case.

    Raises:
        ConfigurationError: The text cannot be a name in a LinkedIn URL.
    """
    name = decoded(text)
    deceives = False
    if name.isascii():
        name = name if ENCODED.fullmatch(name) else name.lower()
    else:
        name = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).lower())
        deceives = any(unicodedata.category(c) == "Cf" and c not in _JOINERS for c in name)
    if not name or name in (".", "..") or deceives or _NOT_IN_NAMES.search(name):
        raise ConfigurationError(
            f"{shown(text)} cannot be a name in a LinkedIn URL: pass the part after /in/ or "
            "/company/, or the whole URL"
        )
    return name


def page(*segments: str) -> str:
    """The canonical URL of a page, with every segment percent-encoded once."""
    return "/".join((SITE, *(quote(part, safe=_PATH_SAFE) for part in segments)))
