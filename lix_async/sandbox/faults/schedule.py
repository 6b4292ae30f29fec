"""Everything that can go wrong on the server's side, by name, and the schedules that decide when.

A fault is asked for in one of three ways: by a schedule (a seed and a rate for each fault, or an
exact plan), by the header `X-Sandbox-Fault` of a request, or by `POST /_sandbox/faults`. The same
seed and the same sequence of requests give the same faults.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal

Stage = Literal["refusal", "queued", "before", "after", "page"]
"""When a fault strikes.

`refusal`: the provider says no and does nothing. `queued`: it says later. `before`: the connection
fails before any work. `after`: the work is done and paid for, its answer is spoiled or late on the
way. `page`: the answer is done and paid for, and what it says is odd.
"""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault: when it strikes, what it does, and the options it takes."""

    stage: Stage
    description: str
    options: tuple[str, ...] = ()

    @property
    def charges(self) -> bool:
        """Whether the call is paid for although this fault strikes."""
        return self.stage in ("after", "page")


FAULTS: Mapping[str, FaultKind] = {
    "rate_limit": FaultKind(
        "refusal", "429; retry-after in seconds, `date:30`, or anything", ("retry-after",)
    ),
    "rate_limit_weekly": FaultKind(
        "refusal", "429, weekly quota, Retry-After to Monday", ("retry-after",)
    ),
    "daily_limit": FaultKind("refusal", "429 daily_limit, or another status", ("status",)),
    "quota": FaultKind("refusal", "402"),
    "unauthorized": FaultKind("refusal", "401"),
    "viewer_invalid": FaultKind("refusal", "407 viewer_invalid"),
    "params_invalid": FaultKind("refusal", "400 params_invalid"),
    "not_found": FaultKind("refusal", "400 not_found"),
    "unknown_record": FaultKind("refusal", "404 unknown_record"),
    "unknown_route": FaultKind("refusal", "404 unknown_route"),
    "api_error": FaultKind(
        "refusal", "500 api_error, or another status", ("status", "retry-after")
    ),
    "no_type": FaultKind("refusal", "500, an error without a type"),
    "string_error": FaultKind("refusal", "500, an error that is a bare string"),
    "bad_gateway": FaultKind("refusal", "502 with a proxy's web page"),
    "unavailable": FaultKind("refusal", "503", ("retry-after",)),
    "gateway_timeout": FaultKind("refusal", "504 with a proxy's web page"),
    "redirect": FaultKind("refusal", "302 to another host", ("to", "status")),
    "html200": FaultKind("refusal", "200 with a web page"),
    "empty200": FaultKind("refusal", "200 with nothing"),
    "queued": FaultKind(
        "queued", "202 queued (or status) for so many polls, then the answer", ("polls", "status")
    ),
    "reset": FaultKind("before", "the connection breaks before anything is done"),
    "slow": FaultKind("after", "the answer is late by so many seconds, and right", ("seconds",)),
    "reset_after": FaultKind("after", "the connection breaks after the work was done"),
    "truncated": FaultKind("after", "the connection closes in the middle of the body"),
    "drip": FaultKind(
        "after", "the body comes a little at a time, in so many seconds", ("seconds",)
    ),
    "broken_json": FaultKind("after", "the body is complete and no JSON"),
    "invalid_utf8": FaultKind("after", "a byte that no UTF-8 text has"),
    "deep_json": FaultKind("after", "lists in lists, too deep to read"),
    "odd_number": FaultKind("after", "1e400 where a number should be"),
    "wrong_type": FaultKind("after", "the right body as text/html"),
    "gzip_bomb": FaultKind("after", "the right body, then blanks, packed small", ("mib",)),
    "chained_encoding": FaultKind("after", "the right body, gzip in gzip"),
    "huge": FaultKind("after", "the right body, then blanks", ("mib",)),
    "repeated_page": FaultKind("page", "the page before once more"),
    "overlap": FaultKind("page", "the last row of the page before comes again"),
    "short_page": FaultKind("page", "half the rows"),
    "empty_page": FaultKind("page", "no rows, and the same total"),
    "null_items": FaultKind("page", "null in place of rows"),
    "shrinking_total": FaultKind("page", "half the total"),
    "growing_total": FaultKind("page", "a total larger by 50"),
    "missing_total": FaultKind("page", "no total"),
    "string_total": FaultKind("page", "the total as text"),
    "nonsense_total": FaultKind("page", "a total that is no number"),
    "changed_sequence": FaultKind("page", "another sequence id, for the same walk"),
}
"""Every fault by name."""

ALIASES = {"502": "bad_gateway", "503": "unavailable", "504": "gateway_timeout", "500": "api_error"}

PRESETS: Mapping[str, Mapping[str, float]] = {
    "none": {},
    "weather": {
        "rate_limit": 0.02,
        "unavailable": 0.01,
        "api_error": 0.01,
        "bad_gateway": 0.01,
        "queued": 0.01,
        "reset": 0.01,
        "reset_after": 0.005,
        "truncated": 0.005,
        "slow;seconds=2": 0.02,
    },
    "storm": {
        "rate_limit;retry-after=2": 0.1,
        "unavailable": 0.08,
        "api_error": 0.08,
        "bad_gateway": 0.05,
        "gateway_timeout": 0.05,
        "queued;status=200": 0.05,
        "reset": 0.05,
        "reset_after": 0.03,
        "truncated": 0.03,
        "empty200": 0.02,
        "html200": 0.02,
    },
}
"""Named schedules: share of all requests for each fault. `weather` is an ordinary day, `storm` a
bad one.
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that was asked for: a name of `FAULTS` and its options as texts."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def kind(self) -> FaultKind:
        """What the name stands for."""
        return FAULTS[self.name]

    def text(self, option: str, default: str = "") -> str:
        """An option as it was written."""
        return self.options.get(option, default)

    def number(self, option: str, default: float) -> float:
        """An option as a number."""
        return float(self.options[option]) if option in self.options else default


def parse_fault(text: str) -> Fault | None:
    """Read `name;option=value;...`; None for `ok`, `ValueError` for what is not known."""
    name, *rest = (part.strip() for part in text.split(";"))
    name = ALIASES.get(name, name)
    if name == "ok":
        return None
    if name not in FAULTS:
        raise ValueError(f"no such fault: {name!r}")
    options: dict[str, str] = {}
    for part in rest:
        option, _, value = part.partition("=")
        if option not in FAULTS[name].options:
            raise ValueError(f"{name} has no option {option!r}")
        if option in ("status", "polls", "seconds", "mib"):
            float(value)
        options[option] = value
    return Fault(name, options)


FaultPlan = Sequence[str] | Mapping[str, Sequence[str]]
"""Faults in the order of requests: for all endpoints together, or by endpoint id. `ok` is none."""


class Faults:
    """A schedule of faults.

    `rates` gives the share of requests that each fault strikes, drawn from `seed`: the n-th draw is
    always the same. `plan` is exact and comes before the rates; when it is used up, the rates
    remain. `force` puts faults before both.
    """

    def __init__(
        self, seed: int = 0, rates: Mapping[str, float] | None = None, *, plan: FaultPlan = ()
    ) -> None:
        self._set_rates(seed, rates or {})
        self._plan = plan
        check = (
            [name for names in plan.values() for name in names]
            if isinstance(plan, Mapping)
            else plan
        )
        for text in check:
            parse_fault(text)
        self.reset()

    @classmethod
    def preset(cls, name: str, seed: int = 0) -> Faults:
        """One of the named schedules of `PRESETS`."""
        if name not in PRESETS:
            raise ValueError(f"no such preset: {name!r}; there are {', '.join(PRESETS)}")
        return cls(seed, PRESETS[name])

    @classmethod
    def of(cls, what: Faults | FaultPlan | str | None, seed: int = 0) -> Faults:
        """A schedule from what names one: a schedule, a preset, a plan, or None for no faults."""
        if isinstance(what, Faults):
            return what
        return cls.preset(what, seed) if isinstance(what, str) else cls(seed, plan=what or ())

    def _set_rates(self, seed: int, rates: Mapping[str, float]) -> None:
        if any(rate < 0 for rate in rates.values()) or sum(rates.values()) > 1:
            raise ValueError("rates are shares of all requests: from 0 to 1, together at most 1")
        self.seed = seed
        self.rates: dict[str, float] = dict(rates)
        self._table = [(rate, parse_fault(text)) for text, rate in rates.items()]
        self._random = Random(seed)

    def reset(self) -> None:
        """Begin again: first draw of the seed, first entry of the plan, nothing forced."""
        self._random = Random(self.seed)
        self._forced: deque[Fault | None] = deque()
        self._plan_by_endpoint: dict[str, deque[Fault | None]] = {}
        self._plan_queue: deque[Fault | None] = deque()
        if isinstance(self._plan, Mapping):
            self._plan_by_endpoint = {
                name: deque(map(parse_fault, texts)) for name, texts in self._plan.items()
            }
        else:
            self._plan_queue.extend(map(parse_fault, self._plan))

    def force(self, *texts: str) -> None:
        """Let the next requests have these faults, whatever the schedule says."""
        self._forced.extend([parse_fault(text) for text in texts])

    def change(self, rates: Mapping[str, float], seed: int | None = None) -> None:
        """Go on with other rates, from the first draw of a seed (None: the same seed)."""
        self._set_rates(self.seed if seed is None else seed, rates)

    def draw(self, endpoint: str) -> Fault | None:
        """The fault of the next request, or None; uses up one draw, or one entry of a plan."""
        if self._forced:
            return self._forced.popleft()
        line = self._plan_by_endpoint.get(endpoint) or self._plan_queue
        if line:
            return line.popleft()
        if not self._table:
            return None
        left = self._random.random()
        for rate, fault in self._table:
            left -= rate
            if left < 0:
                return fault
        return None
