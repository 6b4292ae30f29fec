"""A FastAPI backend: every request shares one client, so all of them together keep the rate.

LIX_API_KEY=… uvicorn fastapi_app:app
curl 'http://127.0.0.1:8000/person?link=https://www.linkedin.com/in/ada-example'
"""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from lix_async import (
    AsyncLix,
    ConfigurationError,
    DeadlineError,
    LixError,
    NotFoundError,
    RefusalError,
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncLix(deadline=30) as app.state.lix:  # no browser waits longer
        yield


app = FastAPI(lifespan=lifespan)


@app.exception_handler(LixError)
async def failed(request: Request, error: LixError) -> JSONResponse:
    """One place for what may go wrong: whose fault it is, and when to come again."""
    headers: dict[str, str] = {}
    if isinstance(error, ConfigurationError):
        status = 422  # what was asked for cannot be sent; nothing was paid
    elif isinstance(error, NotFoundError):
        status = 404
    elif isinstance(error, DeadlineError):
        status = 503  # too many are waiting for their turns
    else:
        status = 502
    if isinstance(error, RefusalError) and error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    return JSONResponse({"detail": str(error)}, status, headers)


@app.get("/person")
async def person(link: str, request: Request) -> dict[str, str | None]:
    lix: AsyncLix = request.app.state.lix
    found = await lix.people.get(link)  # 1 credit
    return {"name": found.name, "headline": found.headline or found.description}
