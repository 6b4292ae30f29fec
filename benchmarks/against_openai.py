"""The cost of a call, compared with a well-known generated SDK.

openai-python sends the same request to the same server and decodes the answer into a pydantic model
of the same fields, with its default of two retries.
"""

from __future__ import annotations

import anyio
from _baseline import baseline_model
from _harness import Race, concurrent_calls, count, race, report, server, table
from _sample_data import KEY, LINK

from lix_async import AsyncLix
from lix_async.providers.lix.endpoints.profiles import PERSON

AIM = 0.5


async def compared(address: str, in_flight: int) -> Race:
    """Measure both, with that many calls in flight."""
    import openai

    model = baseline_model(PERSON.result, openai.BaseModel)
    calls = max(count(200, 100), in_flight * count(10, 5))
    async with (
        openai.AsyncOpenAI(base_url=address, api_key=KEY, max_retries=2) as client,
        AsyncLix(KEY, base_url=address, rate_limit=None) as lix,
    ):

        async def theirs() -> object:
            params = {"params": {"profile_link": LINK}}
            return await client.get("/v1/person", cast_to=model, options=params)

        contenders = {
            "openai-python": concurrent_calls(in_flight, calls, theirs),
            "lix_async": concurrent_calls(in_flight, calls, lambda: lix.people.get(LINK)),
        }
        return await race(contenders, units=calls, rounds=count(7, 3))


async def main() -> None:
    try:
        import openai  # noqa: F401  # only whether it is there
    except ImportError:
        print("openai is not installed: nothing to compare with")
        return
    with server() as address:
        for in_flight in (1, 20, 100):
            found = await compared(address, in_flight)
            title = f"A call, {in_flight} in flight (CPU µs)"
            table(title, ["", "median", "least", "most"], found.rows())
            ratio = found.ratio("lix_async", "openai-python").median
            report(f"a call, {in_flight} in flight", ratio, "times openai-python", AIM)


if __name__ == "__main__":
    anyio.run(main)
