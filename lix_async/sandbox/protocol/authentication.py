"""Checks of the Host and Origin headers, and the API key of a request.

Keys are compared by digest and never stored: callers are labelled `key-1`, `key-2`, ... in the
order in which they first appear.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import blake2b

from ...core.provider import AuthScheme
from .errors import ErrorReply, params_invalid, unauthorized

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]", "testserver", "sandbox"})
"""Names of this machine, and the names that in-memory clients use. Any port is accepted."""
BAD_KEYS = frozenset({"wrong", "bad-key"})
"""Keys that are always rejected, to test the handling of a 401."""


def check_host(host: str, origin: str | None = None) -> None:
    """Reject requests that a web page sends from another origin.

    A page that resolves its own domain to this machine (DNS rebinding) sends that domain as Host;
    a page that posts here from another site sends its own Origin.

    Raises:
        ErrorReply: 400, one of the two is not a name of this machine.
    """
    names = [host] if origin is None else [host, origin.partition("://")[2]]
    for name in names:
        bare = name.lower()
        if not bare.endswith("]"):
            head, colon, port = bare.rpartition(":")
            bare = head if colon and port.isdecimal() else bare
        if bare not in LOCAL_HOSTS:
            raise ErrorReply(400, None, "the sandbox answers requests from this machine only")


class KeyAuthenticator:
    """Checks API keys and labels callers without storing their keys.

    Args:
        keys: The accepted keys. None accepts every key except `BAD_KEYS`.
    """

    def __init__(self, keys: Collection[str] | None = None) -> None:
        self._keys = None if keys is None else frozenset(map(_digest, keys))
        self._callers: dict[bytes, str] = {}

    def reset(self) -> None:
        """Forget all callers; the next one is `key-1` again."""
        self._callers.clear()

    def caller(
        self,
        schemes: Iterable[AuthScheme],
        headers: Mapping[str, str],
        query: Sequence[tuple[str, str]],
    ) -> str:
        """The label of the caller.

        Args:
            schemes: The places where the provider accepts a key.
            headers: The request headers, with lower-case names.
            query: The query parameters.

        Raises:
            ErrorReply: 401 for a missing or rejected key, 400 for more than one key.
        """
        places: dict[tuple[str, str], list[str]] = {}
        for scheme in schemes:
            places.setdefault((scheme.place, scheme.name), []).append(scheme.prefix)
        found = [
            (text, prefixes)
            for (place, name), prefixes in places.items()
            for text in _keys_at(place, name, headers, query)
        ]
        if len(found) > 1:
            raise params_invalid("send the API key once: in a header or in the query")
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
    """The key without its scheme (`Bearer`); empty if a required scheme is missing."""
    words = [prefix.strip().lower() for prefix in prefixes]
    first, _, rest = text.strip().partition(" ")
    if first and first.lower() in words:
        return rest.strip()
    return text.strip() if "" in words else ""


def _digest(key: str) -> bytes:
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
