"""Where the fields of a person or an organisation stand in the answers of an endpoint.

Data of an `Endpoint`, so that answers can be compared without knowing their provider. A path is a
key, or keys joined by dots, of the decoded answer under its names on the wire; `a+b` are two texts
as one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

SubjectField = Literal["name", "headline", "location", "slug", "title", "organisation"]
"""The fields that every provider has under the same name here; others keep the provider's."""
TextReader = Callable[[str], str | None]


class FieldPaths(msgspec.Struct, frozen=True):
    """Where a field stands: the first of the paths that has a value counts."""

    paths: tuple[str, ...]
    read: TextReader | None = None
    """What of a text is the value, such as the id in a link; None for all of it."""


class JobFields(msgspec.Struct, frozen=True):
    """Where the positions of a person stand, and the fields of each."""

    path: str
    """The list."""
    organisation: str
    """The organisation's name."""
    ids: Mapping[str, TextReader] = {}
    """Where ids of the organisation stand, and how each is read."""
    title: str = "title"
    start: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    period: str = ""
    """A text with both: `Jan 2022 - Present · 3 yrs`."""
    current: str = ""
    """A flag that says that it has not ended."""
    ignored: frozenset[str] = frozenset()
    """Fields of a position that are not compared."""


class SubjectFields(msgspec.Struct, frozen=True):
    """How two answers about one person or organisation are compared.

    Every other field of the answer is compared under its own path.
    """

    named: Mapping[str, FieldPaths] = {}
    """Fields by the name that they have for every provider (`SubjectField`), or by the path of
    theirs where several paths stand for one."""
    jobs: JobFields | None = None
    of_jobs: frozenset[str] = frozenset()
    """Fields that repeat what `jobs` says."""
    ignored: frozenset[str] = frozenset()
    """Fields that change without the subject: ids of requests, what depends on the viewer."""
