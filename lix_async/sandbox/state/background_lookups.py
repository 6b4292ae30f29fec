"""LookC's lookups that continue in the background: which do, and when each is finished."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..world.random import chance

FAILING_PREFIX = "fail"
SLOW_PREFIX = "slow"


@dataclass(frozen=True, slots=True)
class BackgroundLookups:
    """How the sandbox simulates LookC's lookups in the background.

    * `share`: the share of addresses whose lookup continues in the background, drawn from the
      seed. Addresses that begin with `slow` or `fail` always do; the latter fail.
    * `polls`: how many polls find a lookup unfinished; the next poll finds it finished.
    * `seconds`: time on the sandbox's clock after which a lookup is finished in any case. None
      uses polls only, or 2 s if there is a webhook.
    * `preview`: return employees in the vendor's preview format: snake_case, with a cursor.
    """

    share: float = 0.1
    polls: int = 2
    seconds: float | None = None
    preview: bool = False

    def runs_in_background(self, seed: int, email: str) -> bool:
        """Whether the lookup of an address, in lower case, continues in the background."""
        if email.startswith((SLOW_PREFIX, FAILING_PREFIX)):
            return True
        return chance(self.share, seed, "background", email)


@dataclass(slots=True)
class BackgroundLookup:
    """One lookup. At `due`, a time on the sandbox's clock, it is finished in any case."""

    id: str
    result: dict[str, object]
    fails: bool
    polls_left: int
    due: float | None
    done: bool = False


@dataclass(slots=True)
class BackgroundLookupQueue:
    """All lookups of a sandbox, and those that finished since the last `take_finished()`."""

    by_id: dict[str, BackgroundLookup] = field(default_factory=dict[str, BackgroundLookup])
    pending: list[BackgroundLookup] = field(default_factory=list[BackgroundLookup])
    _finished: list[BackgroundLookup] = field(default_factory=list[BackgroundLookup])

    def start(self, lookup: BackgroundLookup) -> None:
        """Add a lookup."""
        self.by_id[lookup.id] = lookup
        self.pending.append(lookup)

    def poll(self, request_id: str, now: float) -> BackgroundLookup | None:
        """Count one poll of a lookup and return it; None for an unknown id."""
        self.finish_due(now)
        found = self.by_id.get(request_id)
        if found is not None and not found.done:
            if found.polls_left <= 0:
                self._finish(found)
            found.polls_left -= 1
        return found

    def finish_due(self, now: float) -> None:
        """Finish the lookups that are due."""
        for lookup in [one for one in self.pending if one.due is not None and one.due <= now]:
            self._finish(lookup)

    def take_finished(self, now: float) -> list[BackgroundLookup]:
        """The lookups that finished since the last call."""
        self.finish_due(now)
        finished, self._finished = self._finished, []
        return finished

    def _finish(self, lookup: BackgroundLookup) -> None:
        lookup.done = True
        self.pending.remove(lookup)
        self._finished.append(lookup)
