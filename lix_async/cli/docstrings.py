"""What docstrings say about methods and their arguments."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

_SECTION = re.compile(r"^(?:Args|Returns|Yields|Raises|Credits|Contract|Example):$", re.MULTILINE)
_ENTRY = re.compile(r" {4}\*{0,2}(\w+): (.*)")
_REFERENCE = re.compile(r"(?:those of|[Aa]s in) `(\w+)`")


def prose(documented: object) -> list[str]:
    """The paragraphs of a docstring before its sections, each on one line."""
    text = _SECTION.split(inspect.getdoc(documented) or "", 1)[0]
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def argument_texts(owner: type, method: str) -> dict[str, str]:
    """What the docstring of a method says about its arguments, by their names.

    Where it says that they are those of another method, what the docstring of that one says.
    """
    doc = inspect.getdoc(getattr(owner, method, None)) or ""
    found = dict(_entries(doc))
    for name in dict.fromkeys(_REFERENCE.findall(doc)):
        if name != method and hasattr(owner, name):
            others = argument_texts(owner, name)
            refers = {one for one, text in found.items() if _REFERENCE.match(text)}
            found = others | {one: text for one, text in found.items() if one not in refers}
    return found


def _entries(doc: str) -> Iterator[tuple[str, str]]:
    """The entries of the section `Args`, each text on one line."""
    section = re.search(r"^Args:\n((?: .*\n|\n)*)", f"{doc}\n", re.MULTILINE)
    name, lines = "", list[str]()
    for line in section[1].splitlines() if section else ():
        if entry := _ENTRY.match(line):
            if name:
                yield name, " ".join(lines)
            name, lines = entry[1], [entry[2]]
        else:
            lines.append(line.strip())
    if name:
        yield name, " ".join(lines).strip()
