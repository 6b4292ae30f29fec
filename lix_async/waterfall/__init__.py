"""Several providers, one question: ask them in turn until the wanted fields are filled.

```python
from lix_async import AsyncConnectSafely, AsyncLix, AsyncLookC
from lix_async.waterfall import Waterfall

async with AsyncLix() as lix, AsyncLookC() as lookc, AsyncConnectSafely() as safely:
    falls = Waterfall([safely, lookc, lix], want=("email", "headline"), budget=500)
    async for person in falls.run(links_and_addresses):
        print(person.email, person.sources["email"].provider, person.credits)
```

Each client keeps its own limiter, retries and deadline. Every field says who gave it, when and
at what cost.
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
