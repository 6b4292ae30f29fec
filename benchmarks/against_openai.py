"""What a call costs, against a well-known SDK that is generated.

openai-python sends the same request to the same server and makes a pydantic model of the same
fields, with its own two retries, as it is used everywhere.
"""

from __future__ import annotations

import anyio
from _baseline import twin
from _harness import Race, count, flock, race, server, table, verdict
from _sample_data import KEY, LINK

from lix_async import AsyncLix
from lix_async.providers.lix.endpoints.profiles import PERSON

AIM = 0.5


async def compared(address: str, flying: int) -> Race:
    """Both, with so many calls in flight."""
    import openai

    model = twin(PERSON.result, openai.BaseModel)
    calls = max(count(200, 100), flying * count(10, 5))
    async with (
        openai.AsyncOpenAI(base_url=address, api_key=KEY, max_retries=2) as client,
        AsyncLix(KEY, base_url=address, rate_limit=None) as lix,
    ):

        async def theirs() -> object:
            params = {"params": {"profile_link": LINK}}
            return await client.get("/v1/person", cast_to=model, options=params)

        contenders = {
            "openai-python": flock(flying, calls, theirs),
            "lix_async": flock(flying, calls, lambda: lix.people.get(LINK)),
        }
        return await race(contenders, units=calls, rounds=count(7, 3))


async def main() -> None:
    try:
        import openai  # noqa: F401  # only whether it is there
    except ImportError:
        print("openai is not installed: nothing to compare with")
        return
    with server() as address:
        for flying in (1, 20, 100):
            found = await compared(address, flying)
            title = f"A call, {flying} in flight (CPU µs)"
            table(title, ["", "median", "least", "most"], found.rows())
            ratio = found.ratio("lix_async", "openai-python").median
            verdict(f"a call, {flying} in flight", ratio, "times openai-python", AIM)


if __name__ == "__main__":
    anyio.run(main)
