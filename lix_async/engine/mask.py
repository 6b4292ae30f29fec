"""Taking the key out of what becomes an error: vendors and gateways echo what they were sent.

Only answers that turn out to be errors are looked through, before their words go anywhere: the
error is then made from the masked answer, so none of its facts, whatever a provider adds to the
common ones, can hold the key. A success costs nothing here.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache

from msgspec.structs import replace

from ..core.provider import Key
from .door import SECRET
from .transport import Reply

MASK = b"***"
SHORT = 6
"""A key of fewer characters, or of up to `SECRET` that are all letters or all digits (`demo`),
is a word or number like others: masking it would spoil what an error says and hide nothing."""
_SLASHES = r"\\{0,7}"
"""JSON may escape a character, and again where the text of one JSON stands inside of another."""
_BASE64 = {
    "+": rf"(?:[+-]|%2[bB]|{_SLASHES}\\u002[bB])",
    "/": rf"(?:{_SLASHES}[/_]|%2[fF])",
}
_NAMED = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


class Mask:
    """Replaces the key by `***`, in each spelling that an echo may have. Shows it to nobody.

    Spellings: as it is; percent-encoded, once or twice; escaped as in JSON or in HTML; in
    base64, also inside of a longer text, as in `Basic` credentials.
    """

    __slots__ = ("_pattern",)

    def __init__(self, key: Key) -> None:
        @cache
        def pattern() -> re.Pattern[bytes] | None:
            return _pattern(key.reveal())

        self._pattern = pattern  # a closure, as in `Key`: made at the first error

    def __repr__(self) -> str:
        return "<mask>"

    def text(self, text: str) -> str:
        """A text without the key."""
        plain = self._masked(text.encode("utf-8", "surrogatepass"))
        return plain.decode("utf-8", "surrogatepass")

    def reply(self, reply: Reply) -> Reply:
        """An answer without the key in its body and headers; the same one if it is in neither."""
        body = self._masked(reply.body)
        headers = [(self._masked(name), self._masked(value)) for name, value in reply.headers]
        if body == reply.body and headers == reply.headers:
            return reply
        return replace(reply, body=body, headers=headers)

    def _masked(self, said: bytes) -> bytes:
        pattern = self._pattern()
        return said if pattern is None else pattern.sub(MASK, said)


def _pattern(key: str) -> re.Pattern[bytes] | None:
    if len(key) < SECRET and (len(key) < SHORT or key.isalpha() or key.isdigit()):
        return None
    spellings = ["".join(map(_spelled, key))]
    if len(key) >= SECRET:
        spellings += map(_encoded, (key,) * 3, range(3))
    return re.compile("|".join(spellings).encode())


def _spelled(char: str) -> str:
    """One character as an echo may spell it. Nobody escapes letters and digits."""
    if char.isalnum():
        return char
    code = ord(char)
    spellings = [
        rf"%(?:25)?{code:02x}",
        rf"{_SLASHES}\\u00{code:02x}",
        rf"&#0*{code};",
        rf"&#x0*{code:x};",
        *([f"&{_NAMED[char]};"] if char in _NAMED else []),
        _SLASHES + re.escape(char),  # last: an `&` is also the beginning of `&amp;`
    ]
    return f"(?i:{'|'.join(spellings)})"


def _encoded(key: str, before: int) -> str:
    """The key in base64 behind that many bytes (modulo 3), without what its neighbours share."""
    whole = b64encode(b"\0" * before + key.encode()).decode()
    inner = whole[-(-before * 4 // 3) : (before + len(key)) * 4 // 3]
    return "".join(_BASE64.get(char, char) for char in inner)
