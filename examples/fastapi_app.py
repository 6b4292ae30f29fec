"""A FastAPI backend: every request shares one client, so all of them together keep the rate."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request

from lix_async import AsyncLix, DeadlineError, NotFoundError


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncLix(deadline=30) as app.state.lix:
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/person")
async def person(link: str, request: Request) -> dict[str, str | None]:
    lix: AsyncLix = request.app.state.lix
    try:
        found = await lix.people.get(link)
    except NotFoundError:
        raise HTTPException(404, "no such person") from None
    except DeadlineError as error:
        raise HTTPException(503, str(error)) from None
    return {"name": found.name, "headline": found.headline or found.description}
