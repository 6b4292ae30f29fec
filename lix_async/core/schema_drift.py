"""The drift detector: differences between a provider's answers and this library's structs.

Answers are decoded tolerantly, so a field that the provider adds, renames or drops makes no call
fail. The drift detector reports it: it compares the keys of every body with the struct.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Literal, cast

import msgspec
from msgspec import inspect

from .bridge import ReadableStruct
from .decoding import unwrap_envelope
from .json_text import SchemaMismatch, parse_json
from .plurals import plural


class Drift(ReadableStruct, msgspec.Struct, frozen=True):
    """One difference. `path` is written as `people[].experience[].title`."""

    kind: Literal["new", "missing"]
    """`new`: received, but not in the struct; `missing`: in the struct, but never received."""
    endpoint: str
    """The catalogue id of the endpoint, such as `person.get`."""
    path: str
    """The field's place in the answer, such as `people[].experience[].title`."""
    answers: int
    """Answers of this endpoint compared so far."""

    def __str__(self) -> str:
        what = "not in the struct" if self.kind == "new" else "never received"
        return (
            f"{self.endpoint} {self.path}: {what} ({self.answers} {plural(self.answers, 'answer')})"
        )


OnDrift = Callable[[Drift], object]
_log = logging.getLogger("lix_async.drift")


class DriftDetector:
    """Compares bodies with their structs and reports each difference to `on_drift` once."""

    def __init__(self, on_drift: OnDrift) -> None:
        self._on_drift = on_drift
        self._answers: Counter[str] = Counter()
        self._reported: set[tuple[str, str]] = set()
        self._expected: dict[str, set[str]] = {}
        self._received: dict[str, set[str]] = {}

    def observe(self, endpoint: str, result: type, body: bytes) -> None:
        """Compare one answer with the struct of its endpoint; skip a body that is not JSON."""
        try:
            tree = parse_json(body)
        except SchemaMismatch:
            return
        self._answers[endpoint] += 1
        expected = self._expected.setdefault(endpoint, set())
        received = self._received.setdefault(endpoint, set())
        kind = inspect.type_info(result)
        for path, present in _compare(_unwrapped(tree, result), kind, ""):
            if present is None:
                if (endpoint, path) not in self._reported:
                    self._reported.add((endpoint, path))
                    self._report(Drift("new", endpoint, path, self._answers[endpoint]))
            else:
                expected.add(path)
                if present:
                    received.add(path)

    def summarise(self) -> None:
        """Report every field of the structs that no answer had although its object was there."""
        for endpoint, expected in self._expected.items():
            for path in sorted(expected - self._received[endpoint]):
                if (endpoint, path) not in self._reported:
                    self._reported.add((endpoint, path))
                    self._report(Drift("missing", endpoint, path, self._answers[endpoint]))

    def _report(self, drift: Drift) -> None:
        """Call the user's function. An error in it must not lose an answer that was charged."""
        try:
            self._on_drift(drift)
        except Exception as error:  # noqa: BLE001  # it may raise anything
            # The class alone: the message may contain personal data of an answer.
            _log.warning("on_drift raised %s, which is ignored", type(error).__name__)


def _unwrapped(tree: object, result: type) -> object:
    root: str | None = getattr(result, "__root__", None)
    if isinstance(tree, list) and root is not None:
        return {root: cast("list[object]", tree)}
    if isinstance(tree, dict):
        envelopes = getattr(result, "__envelopes__", ())
        return unwrap_envelope(cast("dict[str, object]", tree), envelopes)
    return tree  # pyright: ignore[reportUnknownVariableType]  # neither object nor array


def _compare(tree: object, kind: inspect.Type, path: str) -> Iterator[tuple[str, bool | None]]:
    """Yield (path, None) for a key that the struct lacks, else (path, whether it is present)."""
    if isinstance(kind, inspect.UnionType):
        for part in kind.types:
            if not isinstance(part, inspect.NoneType):
                yield from _compare(tree, part, path)
    elif isinstance(kind, inspect.ListType) and isinstance(tree, list):
        for item in cast("list[object]", tree):
            yield from _compare(item, kind.item_type, f"{path}[]")
    elif isinstance(kind, inspect.StructType) and isinstance(tree, dict):
        yield from _fields(cast("dict[str, object]", tree), kind, f"{path}." if path else "")


def _fields(
    tree: dict[str, object], kind: inspect.StructType, prefix: str
) -> Iterator[tuple[str, bool | None]]:
    fields = {field.encode_name: field.type for field in kind.fields}
    aliases: dict[str, str] = getattr(kind.cls, "__aliases__", {})
    if any(marker in tree for marker in getattr(kind.cls, "__markers__", ())):
        return  # an older form of the object, whose keys are not those of the struct
    names = {aliases.get(name, name) for name in tree}
    for name in fields:
        yield prefix + name, name in names
    for name, value in tree.items():
        field = fields.get(aliases.get(name, name))
        if field is None:
            yield prefix + name, None
        else:
            yield from _compare(value, field, prefix + aliases.get(name, name))
