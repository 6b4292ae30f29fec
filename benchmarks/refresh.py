"""Changes found per credit over three simulated years: `refresh=` against the oldest answer first.

People of the sandbox live at the rates of `sandbox/world/hazards.py`, which were fixed before the
planner was written. Each month a few credits are spent, by a plan or on the oldest answers. The
more credits there are, the less any order matters: who is looked at often enough is found out.
"""

from __future__ import annotations

import tempfile

import anyio
from _harness import count, report, table

from lix_async import AsyncLix, bulk
from lix_async.concurrency.clock import RealClock
from lix_async.sandbox import Sandbox, running

MONTHS = 36
DAYS = 30


class Calendar(RealClock):
    """The real clock, some days later."""

    days = 0

    def wall(self) -> float:
        """Epoch seconds."""
        return RealClock.wall() + self.days * 86_400


async def life(path: str, people: int, credits: int, seed: int, *, planned: bool) -> int:
    """The number of changes that so many credits a month find."""
    sandbox, clock, found = Sandbox(people=people, seed=seed, rate=None), Calendar(), 0
    links = [sandbox.world.person(number).sales_link for number in range(people)]
    bought = dict.fromkeys(links, 0)
    with running(sandbox) as url:
        async with AsyncLix("sandbox-key", base_url=url, rate_limit=None, clock=clock) as lix:

            async def spend(
                inputs: list[str], *, refresh: int = 0, max_age: float | None = None
            ) -> int:
                run = bulk.Run(
                    *(path, lix.people.get, inputs),
                    refresh=refresh,
                    max_age=max_age,
                    check_balances=False,
                )
                return sum([len(outcome.changes) async for outcome in run])

            await spend(links)
            for month in range(1, MONTHS + 1):
                sandbox.advance(days=DAYS)
                clock.days += DAYS
                if planned:
                    found += await spend(links, refresh=credits)
                    continue
                oldest = sorted(links, key=lambda link: bought[link])[:credits]
                bought.update(dict.fromkeys(oldest, month))
                found += await spend(oldest, max_age=0)
    return found


def main() -> None:
    people, seeds = count(300, 100), range(count(2, 1))
    rows: list[list[str]] = []
    for share in (0.005, 0.01):
        credits = max(round(people * share), 1)
        found = {True: 0, False: 0}
        for seed in seeds:
            for planned in found:
                with tempfile.TemporaryDirectory() as folder:
                    found[planned] += anyio.run(
                        lambda *given, planned=planned: life(*given, planned=planned),
                        *(f"{folder}/ledger.db", people, credits, seed + 1),
                    )
        spent = credits * MONTHS * len(seeds)
        ratio = found[True] / max(found[False], 1)
        rows.append(
            [
                f"{share:.1%}",
                *(f"{found[way] / spent:.2f}" for way in (False, True)),
                f"{ratio:.2f}",
            ]
        )
        if share == 0.005:
            report("changes per credit, planned against the oldest first", ratio, "×")
    table("Changes found per credit", ["credits a month", "oldest first", "planned", "×"], rows)


if __name__ == "__main__":
    main()
