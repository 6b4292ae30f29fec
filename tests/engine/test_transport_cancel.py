"""Cancelling an exchange anywhere: no connection is lost, and the next call goes through."""

from __future__ import annotations

import asyncio
import os
import random
import traceback

import anyio
import httpx
import httpx2
import pytest
from anyio.lowlevel import checkpoint
from loopback import Connection, answer, request_builder, saying, serve

from lix_async.core.wire import HttpRequest, HttpResponse
from lix_async.engine.transport import ClientTransport, HttpTransport, SendTimestamp

TIMEOUT = {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": 5.0}
READ = HttpRequest("GET", "/v1/things")
SEND = HttpRequest("POST", "/v1/send", b'{"text": "x"}', idempotent=False)
CANCELLATIONS = int(os.environ.get("LIX_CANCELLATIONS", "400"))
"""Of the slots, on each loop."""
libraries = pytest.mark.parametrize(
    "library", [httpx, httpx2], ids=lambda library: library.__name__
)


async def cancelled_after(
    steps: int, transport, outgoing: HttpRequest
) -> tuple[object, SendTimestamp]:
    """An exchange that is cancelled after so many steps of the event loop."""
    departure = SendTimestamp()
    outcome: object = None

    async def call() -> None:
        nonlocal outcome
        outcome = await transport.exchange(outgoing, departure)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        for _ in range(steps):
            await checkpoint()
        tasks.cancel_scope.cancel()
    return outcome, departure


@pytest.mark.anyio
@libraries
@pytest.mark.parametrize("outgoing", [READ, SEND], ids=["read", "send"])
async def test_cancelled_at_every_step_the_slot_comes_back_and_the_next_call_succeeds(
    outgoing, library
):
    async with serve(saying(answer())) as server:
        transport = HttpTransport(request_builder(server.url), TIMEOUT, library, size=1)
        done = 0
        for steps in range(60):
            outcome, _ = await cancelled_after(steps, transport, outgoing)
            assert transport.pool.in_use == 0
            done += isinstance(outcome, HttpResponse)
            with anyio.fail_after(5):
                assert isinstance(await transport.exchange(outgoing, SendTimestamp()), HttpResponse)
            if outgoing is READ:
                await transport.aclose()  # the next one has to connect again
        await transport.aclose()
    assert done < 60


@pytest.mark.anyio
async def test_the_send_time_is_set_only_when_bytes_may_have_been_sent():
    async with serve(saying(answer())) as server:
        transport = HttpTransport(request_builder(server.url), TIMEOUT, size=1)
        departures = []
        for steps in range(30):
            heard = len(server.heard)
            _, departure = await cancelled_after(steps, transport, SEND)
            departures.append(departure.at is not None)
            if len(server.heard) > heard:
                assert departure.at is not None
            await transport.aclose()
    assert departures[0] is False
    assert True in departures


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("kind", ["slots", "client"])
def test_many_random_cancellations_leave_a_transport_that_works(backend, kind):
    """`nox -s campaign`: thousands. Not in debug mode, which is five times as slow."""
    chance = random.Random(4)
    count = CANCELLATIONS if kind == "slots" else CANCELLATIONS // 2

    async def main() -> None:
        async with serve(saying(answer())) as server, httpx.AsyncClient() as client:
            where = request_builder(server.url)
            transport = (
                HttpTransport(where, TIMEOUT, size=20)
                if kind == "slots"
                else ClientTransport(where, None, client)
            )
            answers = 0

            async def one() -> None:
                nonlocal answers
                outcome, _ = await cancelled_after(chance.randrange(25), transport, READ)
                answers += isinstance(outcome, HttpResponse)

            for _ in range(count // 100):
                async with anyio.create_task_group() as tasks:
                    for _ in range(100):
                        tasks.start_soon(one)
            pool = transport.pool if isinstance(transport, HttpTransport) else transport._pool
            assert pool.in_use == 0
            assert 0 < answers < count
            with anyio.fail_after(10):
                for _ in range(100):
                    assert isinstance(await transport.exchange(READ, SendTimestamp()), HttpResponse)
            await transport.aclose()

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("kind", ["slots", "client"])
def test_no_frame_of_the_library_hangs_on_a_native_timeout(kind):
    """`asyncio.timeout` keeps the cancellation as the cause of its TimeoutError."""

    async def main() -> BaseException:
        async def handler(connection: Connection) -> None:
            await connection.request()
            heard.set()
            await anyio.sleep_forever()

        heard = anyio.Event()
        async with serve(handler) as server, httpx.AsyncClient() as client:
            where = request_builder(server.url, key="s3cret-key")
            transport = (
                HttpTransport(where, TIMEOUT)
                if kind == "slots"
                else ClientTransport(where, None, client)
            )
            try:
                async with asyncio.timeout(5) as timeout:
                    async with anyio.create_task_group() as tasks:
                        tasks.start_soon(expire, heard, timeout)
                        await transport.exchange(READ, SendTimestamp())
            except TimeoutError as error:
                return error
        raise AssertionError("no timeout")

    async def expire(heard: anyio.Event, timeout: asyncio.Timeout) -> None:
        await heard.wait()
        timeout.reschedule(asyncio.get_running_loop().time())

    error: BaseException | None = asyncio.run(main())
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            assert "httpcore" not in frame.f_code.co_filename
            assert "s3cret" not in repr(frame.f_locals)
        error = error.__cause__ or error.__context__
