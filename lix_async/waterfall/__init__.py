"""Several providers, one question: ask them one after another until the fields are filled.

```python
from lix_async import AsyncConnectSafely, AsyncLix, AsyncLookC
from lix_async.waterfall import Waterfall

async with AsyncLix() as lix, AsyncLookC() as lookc, AsyncConnectSafely() as safely:
    waterfall = Waterfall([safely, lookc, lix], want=("email", "headline"), budget=500)
    async for person in waterfall.run(links_and_addresses):
        print(person.email, person.sources["email"].provider, person.credits)
```

Each client keeps its limiter, retry policy and deadline. Each field has its source: provider,
endpoint, time and cost.

Modules in reading order: `targets` (what to look up), `results` (what was found), `steps` (one
lookup of one provider, and the order of steps), `waterfall` (`Waterfall` and its scheduler),
`registry` and `adapters` (the ready-made steps of each provider).

May import `core`, `linkedin`, `concurrency` and `engine`; an adapter also its own provider.
"""

from .registry import installed, steps_of
from .results import Company, Email, Profile, Result, Source
from .steps import Order, Step, StepResult, StepStats
from .targets import Target
from .waterfall import Results, Waterfall

__all__ = [
    "Company",
    "Email",
    "Order",
    "Profile",
    "Result",
    "Results",
    "Source",
    "Step",
    "StepResult",
    "StepStats",
    "Target",
    "Waterfall",
    "installed",
    "steps_of",
]
