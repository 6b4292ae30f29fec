"""The sandbox on a real socket, in a thread."""

from __future__ import annotations

import json
import logging
import socket
import threading
from urllib.parse import urlsplit

import httpx
import pytest

from lix_async.core.errors import ConfigurationError
from lix_async.sandbox import Sandbox, running, serve

pytestmark = pytest.mark.anyio
PERSON = {"profile_link": "https://www.linkedin.com/in/some-body"}
KEY = {"Authorization": "SENTINEL-key"}


def small(**settings: object) -> Sandbox:
    return Sandbox(people=20, organisations=5, rate=None, **settings)  # type: ignore[arg-type]


async def test_a_request_over_a_real_socket(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="uvicorn")
    sandbox = small()
    async with running(sandbox) as base_url:
        assert base_url.startswith("http://127.0.0.1:")
        async with httpx.AsyncClient(base_url=base_url, headers=KEY) as http:
            answer = await http.get("/v1/person", params=PERSON)
            rebound = await http.get("/v1/person", params=PERSON, headers={"Host": "example.com"})
    assert answer.json()["name"] == "Some Body"
    assert rebound.status_code == 400
    assert sandbox.ledger.totals()["standard"] == 1
    assert "SENTINEL" not in caplog.text
    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(base_url)


def test_a_plain_with_block_and_reuse_of_a_port() -> None:
    sandbox, before = small(), set(threading.enumerate())
    with running(sandbox) as base_url:
        assert httpx.get(base_url).json()["invented"] is True
    port = urlsplit(base_url).port
    assert port
    with running(sandbox, port=port) as again:
        assert again == base_url
        assert httpx.get(f"{again}/v1/person", params=PERSON, headers=KEY).status_code == 200
        with pytest.raises(OSError), running(sandbox, port=port):  # noqa: PT011  # text is the system's
            pass
    after = set(threading.enumerate()) - before
    assert not [thread for thread in after if thread.name.startswith("lix_async")]


def test_ipv6_and_ipv4() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with running(small(), host="::1") as base_url:
        assert base_url.startswith("http://[::1]:")
        assert httpx.get(base_url).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.com", "", "*"])
def test_only_loopback_addresses_are_accepted(host: str) -> None:
    with pytest.raises(ConfigurationError, match="loopback address"), running(small(), host=host):
        pass
    with pytest.raises(ConfigurationError, match="loopback address"):
        serve(small(), host=host)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("reset", httpx.ReadError),
        ("reset_after", httpx.ReadError),
        ("truncated", httpx.RemoteProtocolError),
    ],
)
def test_connections_break_and_the_next_one_works(
    fault: str, error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sandbox = small(faults=[fault])
    with running(sandbox) as base_url, httpx.Client(base_url=base_url, headers=KEY) as http:
        with pytest.raises(error):
            http.get("/v1/person", params=PERSON)
        assert http.get("/v1/person", params=PERSON).status_code == 200
    assert len(sandbox.ledger) == (1 if fault == "reset" else 2)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_truncated_body_is_shorter_than_its_content_length() -> None:
    with running(small(faults=["truncated"])) as base_url:
        address = urlsplit(base_url)
        with socket.create_connection((address.hostname or "", address.port or 0)) as line:
            target = "/v1/person?profile_link=https%3A%2F%2Fwww.linkedin.com%2Fin%2Fa-b"
            head = f"GET {target} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: k"
            line.sendall(f"{head}\r\n\r\n".encode())
            received = b""
            while piece := line.recv(65536):
                received += piece
    start, _, body = received.partition(b"\r\n\r\n")
    promised = int(start.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert 0 < len(body) < promised
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
