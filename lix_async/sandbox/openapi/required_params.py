"""What the `check` of a params struct demands beyond its types.

Nothing of it is written down a second time: `check` is run once on a stand-in, with recorders in
place of the helpers `required`, `at_least`, `at_most`, `exactly_one` and `check_linkedin_urls`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from types import FunctionType
from typing import cast

import msgspec

from ...core.errors import ConfigurationError
from ...core.models import Params

FULL = r"^https?://([A-Za-z0-9-]+\.)*linkedin\.com([/?#]\S*)?$"
BARE = r"^(https?://)?([A-Za-z0-9-]+\.)*linkedin\.com([/?#]\S*)?$"


@dataclass(slots=True)
class RequiredParams:
    """By attribute: what must be there, how small and how long; groups of which one is needed."""

    required: set[str] = field(default_factory=set[str])
    least: dict[str, int] = field(default_factory=dict[str, int])
    longest: dict[str, int] = field(default_factory=dict[str, int])
    patterns: dict[str, str] = field(default_factory=dict[str, str])
    groups: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])

    def narrow(self, name: str, schema: dict[str, object]) -> dict[str, object]:
        """The JSON schema of a field with these demands in it."""
        extra: dict[str, object] = {}
        if name in self.required:
            extra["minItems" if schema.get("type") == "array" else "minLength"] = 1
        if name in self.least:
            extra["minimum"] = self.least[name]
        if name in self.longest:
            extra["maxLength"] = self.longest[name]
        if name in self.patterns:
            pattern = self.patterns[name]
            extra["pattern"] = pattern if name in self.required else f"^$|{pattern}"
        return schema | extra


@cache
def required_params(params: type[Params]) -> RequiredParams:
    """What a struct demands."""
    found = RequiredParams()
    for info in msgspec.structs.fields(params):
        if info.required:
            found.required.add(info.name)
    stand_in = params(**{name: _any(params, name) for name in found.required})
    for base in reversed(params.__mro__):
        check = base.__dict__.get("check")
        if isinstance(check, FunctionType):
            _run(check, stand_in, found)
    for info in msgspec.structs.fields(params):
        if not info.required and info.default is not None:
            found.required.discard(info.name)  # the struct fills it in
    return found


def _any(params: type[Params], name: str) -> object:
    """A value that passes for one of the field's type."""
    kind = next(info.type for info in msgspec.structs.fields(params) if info.name == name)
    if kind is int:
        return 1
    return "1" if kind is str else [object()]


class _Recorder:
    """The helpers of `check`, with ears instead of teeth."""

    def __init__(self, found: RequiredParams) -> None:
        self._found = found

    def required(self, _: Params, *names: str) -> None:
        self._found.required.update(names)

    def at_least(self, _: Params, name: str, limit: int) -> None:
        self._found.least[name] = limit

    def at_most(self, _: Params, name: str, limit: int) -> None:
        self._found.longest[name] = limit

    def exactly_one(self, _: Params, *names: str) -> None:
        self._found.groups.append(names)

    def check_linkedin_urls(self, _: Params, *names: str, bare: bool = False) -> None:
        self._found.patterns.update(dict.fromkeys(names, BARE if bare else FULL))


HELPERS = ("required", "at_least", "at_most", "exactly_one", "check_linkedin_urls")


def _run(check: FunctionType, stand_in: Params, found: RequiredParams) -> None:
    recorder = _Recorder(found)
    # The same code with other globals: the module's own helpers stay as they are.
    spied = FunctionType(
        check.__code__,
        check.__globals__ | {name: getattr(recorder, name) for name in HELPERS},
        check.__name__,
        check.__defaults__,
        check.__closure__,
    )
    # What comes after a rule of the struct's own says nothing in JSON schema either.
    with suppress(ConfigurationError):
        cast("Callable[[Params], None]", spied)(stand_in)
