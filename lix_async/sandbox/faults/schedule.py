"""All faults by name, and the schedules that decide when they happen.

A fault is requested in one of three ways: by a schedule (a seed and a rate for each fault, or an
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


FAULTS: Mapping[str, FaultKind] = {
    # The documented errors, with the variations that lix.md#errors and lix.md#rate-limits leave
    # open. Public clients report 429s with and without Retry-After
    # (meetalfred.md#limits-and-errors), and RFC 9110 (10.2.3) allows a date in it.
    "rate_limit": FaultKind(
        "refusal", "429; retry-after in seconds, `date:30`, or any text", ("retry-after",)
    ),
    # The weekly quota differs from an ordinary 429 by a Retry-After of days (lix.md#rate-limits).
    "rate_limit_weekly": FaultKind(
        "refusal", "429, weekly quota, Retry-After until Monday", ("retry-after",)
    ),
    # The contract gives no status for it (lix.md#open-questions).
    "daily_limit": FaultKind("refusal", "429 daily_limit, or another status", ("status",)),
    "quota": FaultKind("refusal", "402"),
    # A key that was revoked while a run goes on.
    "unauthorized": FaultKind("refusal", "401"),
    # A LinkedIn account that was signed out. 407 looks like a proxy's error (lix.md#statuses).
    "viewer_invalid": FaultKind("refusal", "407 viewer_invalid"),
    "params_invalid": FaultKind("refusal", "400 params_invalid"),
    # Two types and two statuses are in use for "nothing found" (lix.md#errors).
    "not_found": FaultKind("refusal", "400 not_found"),
    "unknown_record": FaultKind("refusal", "404 unknown_record"),
    # An endpoint that moved: the reason for alternate paths (lix.md#facets.recruiter).
    "unknown_route": FaultKind("refusal", "404 unknown_route"),
    "api_error": FaultKind(
        "refusal", "500 api_error, or another status", ("status", "retry-after")
    ),
    # lix.md#errors asks clients to accept errors without a type, and errors that are a string.
    "no_type": FaultKind("refusal", "500, an error without a type"),
    "string_error": FaultKind("refusal", "500, an error that is a string"),
    # A reverse proxy while the server behind it restarts or is overloaded. Its pages are HTML.
    "bad_gateway": FaultKind("refusal", "502 with the HTML page of a proxy"),
    "unavailable": FaultKind("refusal", "503", ("retry-after",)),
    "gateway_timeout": FaultKind("refusal", "504 with the HTML page of a proxy"),
    # A captive portal or a changed domain. A client must not send its key to the other host.
    "redirect": FaultKind("refusal", "302 to another host", ("to", "status")),
    # A maintenance or browser-check page of a CDN, which often has status 200.
    "html200": FaultKind("refusal", "200 with an HTML page"),
    # A proxy that lost the body of the upstream's response.
    "empty200": FaultKind("refusal", "200 with an empty body"),
    # A lookup that is still in progress. Its status is not documented (lix.md#open-questions).
    "queued": FaultKind(
        "queued",
        "202 (or status) queued for a number of polls, then the answer",
        ("polls", "status"),
    ),
    # A load balancer that drops connections on a deployment: the request was never read.
    "reset": FaultKind("before", "the connection breaks before anything is done"),
    # An overloaded server. A client whose timeout is shorter does not know whether it was charged.
    "slow": FaultKind("after", "the answer is late by a number of seconds", ("seconds",)),
    # Connections that break after the request was executed: charged, but the answer is lost.
    "reset_after": FaultKind("after", "the connection breaks after the request was executed"),
    "truncated": FaultKind("after", "the connection closes in the middle of the body"),
    # A stalled server that never exceeds a timeout between two reads (as in a slowloris attack).
    "drip": FaultKind(
        "after", "the body arrives in small pieces over a number of seconds", ("seconds",)
    ),
    # A server that crashed while it wrote JSON, behind a proxy that ended the body correctly.
    "broken_json": FaultKind("after", "the body is complete but is not valid JSON"),
    # Text in another encoding passed through. RFC 8259 (8.1) requires UTF-8.
    "invalid_utf8": FaultKind("after", "the body contains a byte that is not valid in UTF-8"),
    # Recursive decoders exhaust the stack on deep nesting.
    "deep_json": FaultKind("after", "nested lists, too deep to decode"),
    # RFC 8259 (6) names 1E400 as a number that many programs cannot represent.
    "odd_number": FaultKind("after", "1e400 in place of a number"),
    # A misconfigured server or a proxy that rewrites the header.
    "wrong_type": FaultKind("after", "the right body as text/html"),
    # Decompression bombs: CVE-2025-66471 and CVE-2026-21441 in urllib3.
    "gzip_bomb": FaultKind("after", "the right body and spaces, compressed to little", ("mib",)),
    # A chain of encodings multiplies the ratio: CVE-2025-66418 in urllib3.
    "chained_encoding": FaultKind("after", "the right body, compressed by gzip twice"),
    # A listing without a page size, or an endless response: memory must stay bounded.
    "huge": FaultKind("after", "the right body and spaces, uncompressed", ("mib",)),
    # A server that ignores the position of a request (meetalfred.md#paging).
    "repeated_page": FaultKind("page", "the previous page again"),
    # A list that changes while it is read, or whose order changes (lix.md#sequence-id).
    "overlap": FaultKind("page", "the last item of the previous page is repeated"),
    # Short pages in the middle of a listing: lix.md#paging-end, connectsafely.md#paging.
    "short_page": FaultKind("page", "half of the items"),
    "empty_page": FaultKind("page", "no items, and the same total"),
    # Lists may be null (lix.md#value-quirks).
    "null_items": FaultKind("page", "null in place of the items"),
    # `total` may be missing, may change between pages and may be a text: lix.md#paging-object.
    "shrinking_total": FaultKind("page", "half of the total"),
    "growing_total": FaultKind("page", "a total larger by 50"),
    "missing_total": FaultKind("page", "no total"),
    "string_total": FaultKind("page", "the total as a text"),
    "nonsense_total": FaultKind("page", "a total that is not a number"),
    # The server returns another sequence id, which replaces the old one (lix.md#sequence-id).
    "changed_sequence": FaultKind("page", "another sequence id for the same listing"),
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
        raise ValueError(f"unknown fault {name!r}")
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
        self._plan_by_endpoint: dict[str, deque[Fault | None]] = {}
        self._plan_queue: deque[Fault | None] = deque()
        if isinstance(self._plan, Mapping):
            self._plan_by_endpoint = {
                name: deque(map(parse_fault, texts)) for name, texts in self._plan.items()
            }
        else:
            self._plan_queue.extend(map(parse_fault, self._plan))

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
        if planned := self._plan_by_endpoint.get(endpoint) or self._plan_queue:
            return planned.popleft()
        if not self._rated:
            return None
        remaining = self._random.random()
        for rate, fault in self._rated:
            remaining -= rate
            if remaining < 0:
                return fault
        return None
