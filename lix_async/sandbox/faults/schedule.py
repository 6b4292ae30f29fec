"""All faults by name, and the schedules that decide when they happen.

A fault is requested in one of three ways: by a schedule (a seed and a rate for each fault, or an
exact plan), by the header `X-Sandbox-Fault` of a request, or by `POST /_sandbox/faults`. The same
seed and the same sequence of requests give the same faults.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal

import msgspec

Stage = Literal["refusal", "queued", "before", "after", "page"]
"""When a fault happens.

* `refusal`: an error response; nothing is done and nothing is charged.
* `queued`: the lookup is reported as not ready.
* `before`: the connection fails before anything is done.
* `after`: the request is executed and charged; the response is damaged or late.
* `page`: the request is executed and charged; the page has wrong content.
"""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault: when it happens, what it does, and its options."""

    stage: Stage
    description: str
    options: tuple[str, ...] = ()

    @property
    def charges(self) -> bool:
        """Whether the request is charged although this fault happens."""
        return self.stage in ("after", "page")


class _FaultFile(msgspec.Struct, frozen=True):
    """The content of `faults.toml`."""

    stages: dict[Stage, dict[str, str]]
    options: dict[str, tuple[str, ...]]
    presets: dict[str, dict[str, float]]


_FILE = msgspec.toml.decode(Path(__file__).with_name("faults.toml").read_bytes(), type=_FaultFile)
FAULTS: Mapping[str, FaultKind] = {
    name: FaultKind(stage, description, _FILE.options.get(name, ()))
    for stage, descriptions in _FILE.stages.items()
    for name, description in descriptions.items()
}
"""Every fault by name."""

ALIASES = {"502": "bad_gateway", "503": "unavailable", "504": "gateway_timeout", "500": "api_error"}

PRESETS: Mapping[str, Mapping[str, float]] = _FILE.presets
"""Named schedules: each fault's share of all requests. `weather` is an ordinary day, `storm` a bad
one.
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """A requested fault: a name from `FAULTS` and its options as texts."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def kind(self) -> FaultKind:
        """The kind that the name stands for."""
        return FAULTS[self.name]

    def text(self, option: str, default: str = "") -> str:
        """An option as a text."""
        return self.options.get(option, default)

    def number(self, option: str, default: float) -> float:
        """An option as a number."""
        return float(self.options[option]) if option in self.options else default


def parse_fault(text: str) -> Fault | None:
    """Parse `name;option=value;...`.

    Returns:
        None for `ok`.

    Raises:
        ValueError: The name, an option or a value is invalid.
    """
    name, *rest = (part.strip() for part in text.split(";"))
    name = ALIASES.get(name, name)
    if name == "ok":
        return None
    if name not in FAULTS:
        raise ValueError(f"unknown fault {name!r}: expected ok or one of {', '.join(FAULTS)}")
    options: dict[str, str] = {}
    for part in rest:
        option, _, value = part.partition("=")
        if option not in FAULTS[name].options:
            raise ValueError(f"unknown option {option!r} of the fault {name}")
        if option in ("status", "polls", "seconds", "mib"):
            float(value)
        options[option] = value
    return Fault(name, options)


FaultPlan = Sequence[str] | Mapping[str, Sequence[str]]
"""Faults in request order, for all endpoints together or by endpoint id. `ok` means no fault."""
_ANY_ENDPOINT = ""
"""The key of a plan for all endpoints together."""


class Faults:
    """A schedule of faults.

    The plan comes before the rates; when it is used up, the rates apply.

    Args:
        seed: The seed of the draws: the n-th draw is always the same.
        rates: Each fault's share of all requests.
        plan: The exact faults of the first requests.

    Raises:
        ValueError: A fault is unknown, or the rates are not shares.
    """

    def __init__(
        self, seed: int = 0, rates: Mapping[str, float] | None = None, *, plan: FaultPlan = ()
    ) -> None:
        self._set_rates(seed, rates or {})
        self._plan = plan if isinstance(plan, Mapping) else {_ANY_ENDPOINT: plan}
        self.reset()

    @classmethod
    def preset(cls, name: str, seed: int = 0) -> Faults:
        """A named schedule of `PRESETS`."""
        if name not in PRESETS:
            raise ValueError(f"unknown preset {name!r}: expected one of {', '.join(PRESETS)}")
        return cls(seed, PRESETS[name])

    @classmethod
    def of(cls, source: Faults | FaultPlan | str | None, seed: int = 0) -> Faults:
        """A schedule from a schedule, the name of a preset, a plan, or None for no faults."""
        if isinstance(source, Faults):
            return source
        return cls.preset(source, seed) if isinstance(source, str) else cls(seed, plan=source or ())

    def _set_rates(self, seed: int, rates: Mapping[str, float]) -> None:
        if any(rate < 0 for rate in rates.values()) or sum(rates.values()) > 1:
            raise ValueError("invalid rates: expected shares of all requests, at most 1 together")
        self.seed = seed
        self.rates: dict[str, float] = dict(rates)
        self._rated = [(rate, parse_fault(text)) for text, rate in rates.items()]
        self._random = Random(seed)

    def reset(self) -> None:
        """Start again: first draw of the seed, first entry of the plan, no forced faults."""
        self._random = Random(self.seed)
        self._forced: deque[Fault | None] = deque()
        self._planned = {name: deque(map(parse_fault, plan)) for name, plan in self._plan.items()}

    def force(self, *texts: str) -> None:
        """Apply these faults to the next requests, before the schedule."""
        self._forced.extend([parse_fault(text) for text in texts])

    def change(self, rates: Mapping[str, float], seed: int | None = None) -> None:
        """Change the rates, and start with the first draw of a seed (None: the same seed)."""
        self._set_rates(self.seed if seed is None else seed, rates)

    def draw(self, endpoint: str) -> Fault | None:
        """The fault of the next request, or None. Uses one draw, or one entry of the plan."""
        if self._forced:
            return self._forced.popleft()
        if planned := self._planned.get(endpoint) or self._planned.get(_ANY_ENDPOINT):
            return planned.popleft()
        if not self._rated:
            return None
        remaining = self._random.random()
        for rate, fault in self._rated:
            remaining -= rate
            if remaining < 0:
                return fault
        return None
