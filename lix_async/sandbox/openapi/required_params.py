"""The rules of a params struct that its types do not express.

The rules are not repeated here: the struct's `check` is run once on a sample instance, with
recorders in place of the helpers `required`, `at_least`, `at_most`, `exactly_one` and
`check_linkedin_urls`.
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

URL_PATTERN = r"^https?://([A-Za-z0-9-]+\.)*linkedin\.com([/?#]\S*)?$"
BARE_URL_PATTERN = r"^(https?://)?([A-Za-z0-9-]+\.)*linkedin\.com([/?#]\S*)?$"


@dataclass(slots=True)
class RequiredParams:
    """The rules by attribute, and the groups of which exactly one parameter is required."""

    required: set[str] = field(default_factory=set[str])
    minimum: dict[str, int] = field(default_factory=dict[str, int])
    max_length: dict[str, int] = field(default_factory=dict[str, int])
    patterns: dict[str, str] = field(default_factory=dict[str, str])
    groups: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])

    def narrow(self, name: str, schema: dict[str, object]) -> dict[str, object]:
        """The JSON schema of a field with its rules added."""
        extra: dict[str, object] = {}
        if name in self.required:
            extra["minItems" if schema.get("type") == "array" else "minLength"] = 1
        if name in self.minimum:
            extra["minimum"] = self.minimum[name]
        if name in self.max_length:
            extra["maxLength"] = self.max_length[name]
        if name in self.patterns:
            pattern = self.patterns[name]
            extra["pattern"] = pattern if name in self.required else f"^$|{pattern}"
        return schema | extra


@cache
def required_params(params: type[Params]) -> RequiredParams:
    """The rules of a params struct."""
    found = RequiredParams()
    for info in msgspec.structs.fields(params):
        if info.required:
            found.required.add(info.name)
    stand_in = params(**{name: _sample_value(params, name) for name in found.required})
    for base in reversed(params.__mro__):
        check = base.__dict__.get("check")
        if isinstance(check, FunctionType):
            _run(check, stand_in, found)
    for info in msgspec.structs.fields(params):
        if not info.required and info.default is not None:
            found.required.discard(info.name)  # the struct has a default
    return found


def _sample_value(params: type[Params], name: str) -> object:
    """A value of the field's type."""
    kind = next(info.type for info in msgspec.structs.fields(params) if info.name == name)
    if kind is int:
        return 1
    return "1" if kind is str else [object()]


class _Recorder:
    """Replaces the helpers of `check`: records the rules instead of checking them."""

    def __init__(self, found: RequiredParams) -> None:
        self._found = found

    def required(self, _: Params, *names: str) -> None:
        self._found.required.update(names)

    def at_least(self, _: Params, name: str, limit: int) -> None:
        self._found.minimum[name] = limit

    def at_most(self, _: Params, name: str, limit: int) -> None:
        self._found.max_length[name] = limit

    def exactly_one(self, _: Params, *names: str) -> None:
        self._found.groups.append(names)

    def check_linkedin_urls(self, _: Params, *names: str, bare: bool = False) -> None:
        self._found.patterns.update(dict.fromkeys(names, BARE_URL_PATTERN if bare else URL_PATTERN))

    def number_in_url(self, _: object, name: str, default: int) -> int:
        """The default: JSON Schema has no form for numbers inside a URL."""
        return default


HELPERS = (
    "required",
    "at_least",
    "at_most",
    "exactly_one",
    "check_linkedin_urls",
    "number_in_url",
)


def _run(check: FunctionType, stand_in: Params, found: RequiredParams) -> None:
    recorder = _Recorder(found)
    # The same code with other globals, so that the module's helpers are not patched.
    recording = FunctionType(
        check.__code__,
        check.__globals__ | {name: getattr(recorder, name) for name in HELPERS},
        check.__name__,
        check.__defaults__,
        check.__closure__,
    )
    # A rule that is not a helper fails on the sample: it has no form in JSON Schema.
    with suppress(ConfigurationError):
        cast("Callable[[Params], None]", recording)(stand_in)
