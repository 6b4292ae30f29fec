"""A backend: cached lookups, a streamed search, a list in the background."""

from fastapi import FastAPI, Response

from lix_async import AsyncLix, Person, bulk
from lix_async.integrations.fastapi import PROBLEMS, Jobs, LixDep, setup, stream, stream_of

app, jobs = FastAPI(responses=PROBLEMS), Jobs("jobs.db")
setup(app, AsyncLix(deadline=30, cache="people.db"), jobs=jobs)

@app.get("/person")
async def person(link: str, lix: LixDep) -> Person:
    return await lix.people.get(link)

@app.get("/search", **stream_of(Person))
async def search(url: str, lix: LixDep) -> Response:
    return stream(lix.search.people(url, max_items=500))

@app.post("/enrich", status_code=202)
async def enrich(links: list[str], lix: LixDep) -> None:
    await jobs.start("crm", lix.people.get, links, ledger="people.db")

@app.get("/enrich")
async def progress() -> bulk.Progress | None:
    return jobs.progress("crm")
