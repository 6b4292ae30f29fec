"""Lookups as tasks of somebody else's engine, here Taskiq: `bulk.chunk` inside a task.

The broker lives in memory so that this file runs as it is. With a broker of yours the ledger goes
into PostgreSQL (`PostgresStore(dsn)`), so that every worker process shares it.
"""

import asyncio

from taskiq import InMemoryBroker, SimpleRetryMiddleware, TaskiqEvents, TaskiqState

from lix_async import AsyncLix, bulk

broker = InMemoryBroker().with_middlewares(SimpleRetryMiddleware(default_retry_count=3))
LEDGER = "people.db"


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def start(state: TaskiqState) -> None:
    state.lix = AsyncLix()  # one per process: its limiter is for all tasks
    state.store = bulk.SqliteStore(LEDGER)
    await state.store.__aenter__()


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def stop(state: TaskiqState) -> None:
    await state.store.close()
    await state.lix.aclose()


@broker.task(retry_on_error=True)
async def people(links: list[str]) -> int:
    """How many of the links are known now. A task that runs twice pays once."""
    outcomes = await bulk.chunk(broker.state.store, broker.state.lix.people.get, links)
    return sum(outcome.ok for outcome in outcomes)


async def main(links: list[str], size: int = 20) -> int:
    await broker.startup()
    try:
        chunks = [links[start : start + size] for start in range(0, len(links), size)]
        tasks = [await people.kiq(chunk) for chunk in chunks]
        results = [await task.wait_result(timeout=600) for task in tasks]
        return sum(result.return_value for result in results)
    finally:
        await broker.shutdown()


if __name__ == "__main__":
    print(asyncio.run(main(["https://www.linkedin.com/in/alice-example"])))
