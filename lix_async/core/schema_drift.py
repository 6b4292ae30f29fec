"""The drift radar: where the provider's answers and this library's structs part ways.

Answers are read tolerantly, so a field that the vendor adds, renames or drops fails no call. The
radar makes it visible: it compares the keys of every body with the struct's own description.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Literal, cast

import msgspec
from msgspec import inspect


class Drift(msgspec.Struct, frozen=True):
    """One difference. `path` is written as `people[].experience[].title`."""

    kind: Literal["new", "missing"]
    """`new`: arrived and is not in the struct; `missing`: documented and never arrived."""
    endpoint: str
    path: str
    answers: int
    """Answers of this endpoint seen so far."""

    def __str__(self) -> str:
        what = "not in the struct" if self.kind == "new" else "never arrived"
        return f"{self.endpoint} {self.path}: {what} ({self.answers} answers)"


OnDrift = Callable[[Drift], object]
_log = logging.getLogger("lix_async")


class DriftDetector:
    """Looks at bodies and tells `on_drift` of each difference once."""

    def __init__(self, on_drift: OnDrift) -> None:
        self._tell = on_drift
        self._answers: Counter[str] = Counter()
        self._told: set[tuple[str, str]] = set()
        self._due: dict[str, set[str]] = {}
        self._came: dict[str, set[str]] = {}

    def observe(self, endpoint: str, result: type, body: bytes) -> None:
        """Compare one answer with the struct of its endpoint. A body that is no JSON is passed."""
        try:
            tree: object = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        self._answers[endpoint] += 1
        due = self._due.setdefault(endpoint, set())
        came = self._came.setdefault(endpoint, set())
        shape = inspect.type_info(result)
        for path, known in _compare(_unwrapped(tree, result), shape, ""):
            if known is None:
                if (endpoint, path) not in self._told:
                    self._told.add((endpoint, path))
                    self._report(Drift("new", endpoint, path, self._answers[endpoint]))
            else:
                due.add(path)
                if known:
                    came.add(path)

    def summarise(self) -> None:
        """Tell of every documented field that was due in some answer and came in none."""
        for endpoint, due in self._due.items():
            for path in sorted(due - self._came[endpoint]):
                if (endpoint, path) not in self._told:
                    self._told.add((endpoint, path))
                    self._report(Drift("missing", endpoint, path, self._answers[endpoint]))

    def _report(self, drift: Drift) -> None:
        """Call the caller's function. What it raises must not cost an answer that is paid for."""
        try:
            self._tell(drift)
        except Exception as error:  # noqa: BLE001  # anything may come out of a caller's function
            # The class alone: an error's words may hold what an answer told of somebody.
            _log.warning("on_drift raised %s; the answer is kept", type(error).__name__)


def _unwrapped(tree: object, result: type) -> object:
    root: str | None = getattr(result, "__root__", None)
    if isinstance(tree, list) and root is not None:
        return {root: cast("list[object]", tree)}
    if isinstance(tree, dict):
        whole = cast("dict[str, object]", tree)
        for name in getattr(result, "__envelopes__", ()):
            if isinstance(inner := whole.get(name), dict):
                beside = {key: value for key, value in whole.items() if key != name}
                return beside | cast("dict[str, object]", inner)
        return whole
    return tree  # pyright: ignore[reportUnknownVariableType]  # neither object nor array


def _compare(tree: object, shape: inspect.Type, path: str) -> Iterator[tuple[str, bool | None]]:
    """(path, None) for a key that is not known; (path, whether it came) for one that is."""
    if isinstance(shape, inspect.UnionType):
        for part in shape.types:
            if not isinstance(part, inspect.NoneType):
                yield from _compare(tree, part, path)
    elif isinstance(shape, inspect.ListType) and isinstance(tree, list):
        for item in cast("list[object]", tree):
            yield from _compare(item, shape.item_type, f"{path}[]")
    elif isinstance(shape, inspect.StructType) and isinstance(tree, dict):
        yield from _fields(cast("dict[str, object]", tree), shape, f"{path}." if path else "")


def _fields(
    tree: dict[str, object], shape: inspect.StructType, prefix: str
) -> Iterator[tuple[str, bool | None]]:
    fields = {field.encode_name: field.type for field in shape.fields}
    aliases: dict[str, str] = getattr(shape.cls, "__aliases__", {})
    if any(marker in tree for marker in getattr(shape.cls, "__markers__", ())):
        return  # an older shape of the whole object: nothing in it is where the struct has it
    names = {aliases.get(name, name) for name in tree}
    for name in fields:
        yield prefix + name, name in names
    for name, value in tree.items():
        kind = fields.get(aliases.get(name, name))
        if kind is None:
            yield prefix + name, None
        else:
            yield from _compare(value, kind, prefix + aliases.get(name, name))
