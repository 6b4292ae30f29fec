"""What must be imported or connected is ready before a permit is taken."""

from __future__ import annotations

import subprocess
import sys

import anyio
import httpx
import httpx2
import pytest
from loopback import Connection, Server, answer, free_port, once, request_builder, saying, serve
from sample_provider import SEND, THING, SampleClient, SendParams, ThingParams

from lix_async.core.errors import TransportError
from lix_async.core.retry import RetryPolicy
from lix_async.core.wire import HttpRequest, HttpResponse
from lix_async.engine.transport import HttpTransport, SendTimestamp
from lix_async.limiters.base import Limiter

pytestmark = pytest.mark.anyio
ONE = ThingParams(id="1")
FINE = answer(b'{"id": "1"}')
READ = HttpRequest("GET", "/v1/things")
TIMEOUT = {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": None}
libraries = pytest.mark.parametrize(
    "library", [httpx, httpx2], ids=lambda library: library.__name__
)


class RecordingLimiter(Limiter):
    """Records how many connections there are at each permit, and the delays reported."""

    def __init__(self, server: Server | None = None) -> None:
        self.server = server
        self.connections: list[int] = []
        self.delays: list[float] = []

    async def acquire(self) -> None:
        # The server has accepted a connection when it had the time to do so.
        await anyio.wait_all_tasks_blocked()
        self.connections.append(self.server.connections if self.server else 0)

    async def hold(self, seconds: float) -> None:
        raise AssertionError("no answer asks for it")


@libraries
@pytest.mark.parametrize("handler", [saying(FINE), once(FINE)], ids=["kept", "closed"])
async def test_each_call_is_connected_before_its_permit(library, handler):
    """Also where the server closes each connection."""
    async with serve(handler) as server:
        limiter = RecordingLimiter(server)
        client = SampleClient(base_url=server.url, rate_limit=limiter, http_client=library)
        async with client:
            for _ in range(3):
                await client.send(THING, ONE)
                await anyio.wait_all_tasks_blocked()
    assert limiter.connections == ([1, 2, 3] if server.connections == 3 else [1, 1, 1])


async def test_a_call_that_acts_has_a_new_connection_before_its_permit():
    async with serve(saying(answer(b'{"ok": true}'))) as server:
        limiter = RecordingLimiter(server)
        async with SampleClient(base_url=server.url, rate_limit=limiter) as client:
            for _ in range(3):
                await client.send(SEND, SendParams(to="me", text="x"))
        assert limiter.connections == [1, 2, 3]


async def test_callers_that_wait_together_keep_their_order_and_open_one_connection():
    """A caller that needs no connection of its own does not overtake the one that connects."""
    order: list[int] = []
    async with serve(saying(FINE)) as server, anyio.create_task_group() as tasks:
        transport = HttpTransport(request_builder(server.url), TIMEOUT)

        async def call(number: int) -> None:
            assert await transport.prepare(READ, 0.0) is None
            order.append(number)

        for number in range(50):
            tasks.start_soon(call, number)
            await anyio.lowlevel.checkpoint()  # trio starts tasks in any order
        while len(order) < 50:
            await anyio.wait_all_tasks_blocked()
        assert (order, server.connections) == ([*range(50)], 1)
        assert isinstance(await transport.exchange(READ, SendTimestamp()), HttpResponse)
        await transport.aclose()


async def test_a_call_that_cannot_connect_takes_no_permit():
    limiter = RecordingLimiter()
    client = SampleClient(
        base_url=f"http://127.0.0.1:{free_port()}",
        rate_limit=limiter,
        retry=RetryPolicy(attempts=3, backoff=0),
    )
    with pytest.raises(TransportError, match="no connection") as caught:
        await client.send(SEND, SendParams(to="me", text="x"))
    assert (caught.value.sent, caught.value.attempts, limiter.connections) == (False, 3, [])


async def test_a_pool_without_a_free_connection_is_not_waited_for_without_a_permit():
    release = anyio.Event()

    async def handler(connection: Connection) -> None:
        await connection.request()
        await release.wait()
        await connection.say(FINE)

    async with serve(handler) as server, anyio.create_task_group() as tasks:
        transport = HttpTransport(request_builder(server.url), TIMEOUT, size=1)
        tasks.start_soon(transport.exchange, READ, SendTimestamp())
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(5):
            assert await transport.prepare(READ, 0.0) is None
        release.set()


@pytest.mark.parametrize(("size", "connections"), [(9, 3), (2, 2)])
async def test_more_connections_are_ready_once_requests_have_found_none(size, connections):
    """As many as there were requests without one, and one: the next may come at the same time."""
    async with serve(saying(FINE)) as server:
        transport = HttpTransport(request_builder(server.url), TIMEOUT, size=size)
        async with anyio.create_task_group() as tasks:
            for _ in range(2):
                tasks.start_soon(transport.exchange, READ, SendTimestamp())
        for _ in range(3):
            assert await transport.prepare(READ, 0.0) is None
        await anyio.wait_all_tasks_blocked()
        assert server.connections == connections
        assert transport.pool.in_use == 0
        await transport.aclose()


@pytest.mark.parametrize("steps", range(12))
async def test_a_cancelled_preparation_leaves_no_connection_lent(steps):
    async with serve(saying(FINE)) as server:
        transport = HttpTransport(request_builder(server.url), TIMEOUT, size=1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(transport.prepare, READ, 0.0)
            for _ in range(steps):
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        assert transport.pool.in_use == 0
        with anyio.fail_after(5):
            assert isinstance(await transport.exchange(READ, SendTimestamp()), HttpResponse)
        await transport.aclose()


COLD = """
import sys
from {library} import run
from lix_async import AsyncLix

class StateRecorder:
    async def acquire(self):
        self.known = set(sys.modules)
    async def hold(self, seconds):
        pass

async def main():
    limiter = StateRecorder()
    async with AsyncLix("key", base_url={url!r}, rate_limit=limiter) as lix:
        await lix.account.daily_allowance()
        print(sorted(set(sys.modules) - limiter.known))

run(main{call})
"""


@pytest.mark.parametrize(("library", "call"), [("asyncio", "()"), ("trio", "")])
async def test_the_first_call_of_a_process_imports_nothing_after_its_permit(library, call):
    async with serve(saying(answer(b'{"requestsRemaining": 1}'))) as server:
        program = COLD.format(library=library, call=call, url=server.url)
        done = await anyio.run_process([sys.executable, "-c", program], stderr=subprocess.STDOUT)
    assert done.stdout.decode().strip() == "[]"
