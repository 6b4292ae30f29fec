"""Who may come in: the Host header, and the ways to present a key.

The key itself is used here and kept nowhere: a caller is known by the order of arrival, `key-1`,
`key-2`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import blake2b

from ...core.provider import AuthScheme
from .errors import ErrorReply, params_invalid, unauthorized

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]", "testserver", "sandbox"})
"""Names of this machine, and those that in-memory clients use; any port may follow them."""
BAD_KEYS = frozenset({"wrong", "bad-key"})
"""Keys that are never accepted, for trying out what a 401 looks like."""


def check_host(host: str, origin: str | None = None) -> None:
    """Refuse a foreign Host or Origin header.

    A web page that points a name of its own at this machine sends its own name as Host; a page that
    posts here from elsewhere sends its own Origin. Neither may read or change the sandbox.
    """
    names = [host] if origin is None else [host, origin.partition("://")[2]]
    for name in names:
        bare = name.lower()
        if not bare.endswith("]"):
            head, colon, port = bare.rpartition(":")
            bare = head if colon and port.isdecimal() else bare
        if bare not in LOCAL_HOSTS:
            raise ErrorReply(400, None, "the sandbox answers to this machine only")


class KeyAuthenticator:
    """Reads the key of a request and tells callers apart without keeping their keys."""

    def __init__(self, keys: Collection[str] | None = None) -> None:
        self._keys = None if keys is None else frozenset(map(_digest, keys))
        self._callers: dict[bytes, str] = {}

    def reset(self) -> None:
        """Forget the callers; the next one is `key-1` again."""
        self._callers.clear()

    def caller(
        self,
        schemes: Iterable[AuthScheme],
        headers: Mapping[str, str],
        query: Sequence[tuple[str, str]],
    ) -> str:
        """The label of the caller; no key, a bad one, or several at once are refused.

        `ways` are the places where the provider takes a key.
        """
        places: dict[tuple[str, str], list[str]] = {}
        for way in schemes:
            places.setdefault((way.place, way.name), []).append(way.prefix)
        found = [
            (text, prefixes)
            for (place, name), prefixes in places.items()
            for text in _keys_at(place, name, headers, query)
        ]
        if len(found) > 1:
            raise params_invalid("the key must be given once: in a header or in the query")
        key = _without_prefix(*found[0]) if found else ""
        digest = _digest(key)
        if not key or key in BAD_KEYS or (self._keys is not None and digest not in self._keys):
            raise unauthorized()
        return self._callers.setdefault(digest, f"key-{len(self._callers) + 1}")


def _keys_at(
    place: str, name: str, headers: Mapping[str, str], query: Sequence[tuple[str, str]]
) -> list[str]:
    if place == "query":
        return [text for known, text in query if known == name]
    return [headers[name.lower()]] if name.lower() in headers else []


def _without_prefix(text: str, prefixes: Sequence[str]) -> str:
    """A key without the word before it; empty where a word is needed and missing."""
    words = [prefix.strip().lower() for prefix in prefixes]
    first, _, rest = text.strip().partition(" ")
    if first and first.lower() in words:
        return rest.strip()
    return text.strip() if "" in words else ""


def _digest(key: str) -> bytes:
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
