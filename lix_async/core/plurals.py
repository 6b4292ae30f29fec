"""Numbers with their nouns: `1 credit`, `2 people`."""

from __future__ import annotations

_PLURALS = {"person": "people", "has": "have", "is": "are", "was": "were"}


def plural(count: int, word: str) -> str:
    """The word for that many: `credit` or `credits`, `person` or `people`."""
    if count == 1:
        return word
    if word in _PLURALS:
        return _PLURALS[word]
    return f"{word[:-1]}ies" if word[-1:] == "y" and word[-2:-1] not in "aeiou" else f"{word}s"


def counted(count: int, word: str) -> str:
    """`1 credit`, `2 people`, `1,200 rows`; the word is given in the singular."""
    return f"{count:,} {plural(count, word)}"
