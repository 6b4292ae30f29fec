"""Finding out what a client method would send, without sending it."""

from __future__ import annotations

import anyio
import pytest
from sample_provider import LIST, SEND, THING, ListParams, SendParams, Thing, ThingParams, Toy

from lix_async.core.errors import ConfigurationError
from lix_async.engine.pages import Pages
from lix_async.engine.recording import RecordingEngine, recorded_call


class Methods(Toy):
    def __init__(self) -> None:
        super().__init__(AssertionError("nothing may be sent"))
        self.unwound: list[str] = []

    async def get(self, id: str) -> Thing:
        try:
            return (await self.send(THING, ThingParams(id=id))).value
        except Exception:
            self.unwound.append("caught an exception")
            raise
        finally:
            self.unwound.append("finally")

    async def send_twice(self) -> None:
        await self.send(SEND, SendParams(to="a", text="first"))
        await self.send(SEND, SendParams(to="a", text="second"))

    def list(self, **options: int) -> Pages[Thing]:
        return self.pages(LIST, ListParams(q="x"), **options)

    async def wait_first(self) -> None:
        await anyio.sleep(1)
        await self.send(THING, ThingParams(id="1"))

    async def return_at_once(self) -> int:
        return 1

    def no_call(self) -> int:
        return 1


@pytest.fixture
def client() -> Methods:
    client = Methods()
    return client.with_engine(RecordingEngine(client.engine))


def test_a_method_is_stopped_at_its_first_call_and_closed(client: Methods) -> None:
    call = recorded_call(client.get("7"))
    assert call is not None
    assert (call.endpoint, call.params, call.pages) == (THING, ThingParams(id="7"), None)
    assert client.unwound == ["finally"]
    assert client.script.sent == []
    first = recorded_call(client.send_twice())
    assert first is not None
    assert first.params == SendParams(to="a", text="first")


def test_a_listing_knows_its_endpoint_parameters_and_options(client: Methods) -> None:
    call = recorded_call(client.list(max_items=3, max_credits=5, prefetch=1))
    assert call is not None
    assert call.pages is not None
    assert (call.endpoint, call.params) == (LIST, ListParams(q="x"))
    pages = call.pages
    assert (pages.max_items, pages.max_credits, pages.prefetch, pages.resumed) == (3, 5, 1, False)


def test_the_original_client_keeps_its_engine(client: Methods) -> None:
    original = Methods()
    view = original.with_engine(RecordingEngine(original.engine))
    assert type(original.engine) is not RecordingEngine
    assert view.credits is original.credits
    assert view.engine.limiter is original.engine.limiter


@pytest.mark.parametrize("name", ["return_at_once", "no_call"])
def test_a_method_that_sends_nothing_has_no_call(client: Methods, name: str) -> None:
    assert recorded_call(getattr(client, name)()) is None


@pytest.mark.anyio
async def test_a_method_that_waits_before_it_sends_has_no_call(client: Methods) -> None:
    assert recorded_call(client.wait_first()) is None


def test_the_method_s_own_checks_are_made(client: Methods) -> None:
    with pytest.raises(ConfigurationError, match="max_items must not be negative"):
        recorded_call(client.list(max_items=-1))
