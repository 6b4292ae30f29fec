"""Every failure of both HTTP libraries has a meaning, and only connecting tells more."""

from __future__ import annotations

import ssl
from base64 import b64decode
from contextlib import asynccontextmanager

import anyio
import httpx
import httpx2
import pytest
import respx
from anyio.streams.tls import TLSStream
from loopback import answer, free_port, request_builder, saying, serve
from sample_provider import LIST, ListParams, SampleClient

from lix_async.core.errors import ConfigurationError
from lix_async.core.wire import HttpRequest
from lix_async.engine.transport import (
    FAILURES,
    HttpTransport,
    SendTimestamp,
    TransportFailure,
    drop_traceback,
    translate_http_error,
)

TIMEOUT = {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": None}
# An untrusted certificate for localhost, valid for a hundred years, and its key.
CERTIFICATE = (
    "MIIBmzCCAUGgAwIBAgIUN2chvLmfNMvyNwEQVYLKWWqI/eEwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3N0"
    "MCAXDTI2MTEyMTA1MDAxN1oYDzIxMjYxMDI4MDUwMDE3WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIB"
    "BggqhkjOPQMBBwNCAARjLBejKZ3VHQWbw5WozKb7tTes8gC+AxcQU6m5DeBdR96ba5dX2kEiL+jtuJfntZ+jF453+Ghr"
    "kTpOGT+/JSNGo28wbTAdBgNVHQ4EFgQU2P48i+NC5Jr8cbJ8JnsLt6EGjbAwHwYDVR0jBBgwFoAU2P48i+NC5Jr8cbJ8"
    "JnsLt6EGjbAwDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZIzj0EAwIDSAAw"
    "RQIhAIt3GmLS5NKD7NeMb2E5zNMscasnycoSv9W8D6a1VcAVAiAD19Fi2k+xUIGcA/hVbSdxeNDbIjnA1kvyLb0vFbHn"
    "SQ=="
)
KEY = (
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgrYENzMXfmKH0aDVlIy/c/0WWUeElmDmEuh6OO7853aSh"
    "RANCAARjLBejKZ3VHQWbw5WozKb7tTes8gC+AxcQU6m5DeBdR96ba5dX2kEiL+jtuJfntZ+jF453+GhrkTpOGT+/JSNG"
)


def every(kind: type) -> list[type]:
    return [kind, *(one for sub in kind.__subclasses__() for one in every(sub))]


def known(library) -> list[type]:
    abstract = {"TransportError", "TimeoutException", "NetworkError", "ProtocolError"}
    kinds = [*every(library.TransportError), library.DecodingError, library.TooManyRedirects]
    own = [kind for kind in kinds if kind.__module__.startswith(library.__name__)]
    return [kind for kind in own if kind.__name__ not in abstract] + [library.InvalidURL]


def test_every_failure_that_a_library_knows_has_a_meaning_of_its_own():
    kinds = [*known(httpx), *known(httpx2), respx.models.AllMockedAssertionError]
    assert {kind.__name__ for kind in kinds} == set(FAILURES)
    for kind in kinds:
        sent, permanent, said = FAILURES[kind.__name__]
        words, *flags = translate_http_error(kind("x"))
        assert flags == [sent, permanent]
        assert words.startswith(said)


def test_what_a_library_adds_later_is_judged_by_its_nearest_kin():
    class NewTimeout(httpx.ReadTimeout):
        pass

    assert translate_http_error(NewTimeout("x")) == (
        "no response within the timeout (NewTimeout)",
        True,
        False,
    )
    assert translate_http_error(OSError("x")) == ("the connection failed (OSError)", True, False)


def test_error_text_is_shown_only_where_it_cannot_hold_a_request():
    assert (
        translate_http_error(httpx.ConnectError("refused"))[0]
        == "no connection: refused (ConnectError)"
    )
    assert translate_http_error(httpx.ConnectError(""))[0] == "no connection (ConnectError)"
    for kind in (httpx.LocalProtocolError, httpx.RemoteProtocolError, httpx.InvalidURL):
        assert "s3cret" not in translate_http_error(kind("s3cret"))[0]


def test_a_proxy_that_wants_a_password_will_want_it_again_and_a_port_is_no_status():
    assert translate_http_error(httpx.ProxyError("407 Proxy Authentication Required"))[1:] == (
        False,
        True,
    )
    assert translate_http_error(httpx.ProxyError("502 Bad Gateway"))[1:] == (False, False)
    refused = httpx.ConnectError("all attempts to connect to 127.0.0.1:14075 failed")
    assert translate_http_error(refused)[1:] == (False, False)


@pytest.mark.parametrize("linked", ["__cause__", "__context__"])
def test_a_certificate_that_does_not_verify_does_not_verify_later(linked):
    outer, middle = httpx.ConnectError("no"), OSError("no")
    middle.__cause__ = ssl.SSLCertVerificationError("bad certificate")
    setattr(outer, linked, middle)
    assert translate_http_error(outer)[1:] == (False, True)


@asynccontextmanager
async def tls_server(path, answering=None):
    certificate = ssl.DER_cert_to_PEM_cert(b64decode(CERTIFICATE))
    name = "PRIVATE KEY"
    pem = path / "server.pem"
    pem.write_text(f"-----BEGIN {name}-----\n{KEY}\n-----END {name}-----\n{certificate}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    async def handler(connection) -> None:
        try:
            stream = await TLSStream.wrap(
                connection.stream, server_side=True, ssl_context=context, standard_compatible=False
            )
        except (ssl.SSLError, anyio.BrokenResourceError, anyio.EndOfStream):
            return
        connection.stream = stream
        await (answering or saying(answer()))(connection)

    async with serve(handler) as server:
        server.url = server.url.replace("http://127.0.0.1", "https://localhost")
        yield server


def forget_certificates(monkeypatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def certificate_folder(path):
    """A directory as OpenSSL reads it: files are named by a hash of the subject."""
    folder = path / "certificates"
    folder.mkdir()
    (folder / "ce275665.0").write_bytes((path / "server.pem").read_bytes())
    return folder


PLACES = ["SSL_CERT_FILE", "SSL_CERT_DIR", "file", "path", "folder", "context"]


@pytest.mark.anyio
@pytest.mark.parametrize("place", PLACES)
async def test_an_authority_of_the_users_network_is_trusted(place, tmp_path, monkeypatch):
    forget_certificates(monkeypatch)
    async with tls_server(tmp_path) as server:
        file = tmp_path / "server.pem"
        verify: object = None
        if place == "SSL_CERT_FILE":
            monkeypatch.setenv(place, str(file))
        elif place == "SSL_CERT_DIR":
            monkeypatch.setenv(place, str(certificate_folder(tmp_path)))
        elif place == "folder":
            verify = certificate_folder(tmp_path)
        else:
            verify = {
                "file": str(file),
                "path": file,
                "context": ssl.create_default_context(cafile=file),
            }[place]
        client = SampleClient(base_url=server.url, verify=verify)
        async with client:
            assert (await client.send(LIST, ListParams())).status == 200


@pytest.mark.parametrize("place", ["SSL_CERT_FILE", "verify"])
@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_place_without_certificates_is_named(place, content, tmp_path, monkeypatch):
    forget_certificates(monkeypatch)
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    options = {"verify": path} if place == "verify" else {}
    if place != "verify":
        monkeypatch.setenv(place, str(path))
    with pytest.raises(ConfigurationError, match=f"{place}: '.*ca.pem' (has no|cannot be)"):
        SampleClient(**options)
    if place != "verify":
        SampleClient(base_url="http://127.0.0.1:1")  # nothing to verify


@pytest.mark.parametrize("verify", [True, False, 1])
def test_verification_cannot_be_turned_off(verify):
    with pytest.raises(ConfigurationError, match="verify"):
        SampleClient(verify=verify)


def test_a_client_of_the_callers_own_has_its_own_certificates(tmp_path):
    with pytest.raises(ConfigurationError, match="verify has no effect beside http_client"):
        SampleClient(http_client=httpx.AsyncClient(), verify=tmp_path)


STRAY = answer(b"stray")


@pytest.mark.anyio
@pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda library: library.__name__)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("size", [1, 2**14, 2**16, 2**19])
@pytest.mark.parametrize("surplus", [b"", b"\n", STRAY, STRAY * 5_000])
async def test_a_connection_that_received_more_than_its_answer_is_not_used_again(
    library, tls, size, surplus, tmp_path
):
    """However many buffers it fills, and whether it comes with the answer or a moment later."""
    count = 0

    async def answering(connection) -> None:
        nonlocal count
        while True:
            await connection.request()
            count += 1
            body = b"%d" % count * size
            if count == 2:
                await connection.say(answer(body))
                await connection.say(surplus)  # TLS: in a record of its own
            else:
                await connection.say(answer(body) + surplus * (count == 1))

    async with tls_server(tmp_path, answering) if tls else serve(answering) as server:
        verify = tmp_path / "server.pem" if tls else None
        builder = request_builder(server.url)
        transport = HttpTransport(builder, TIMEOUT, library, verify=verify)
        for number in range(1, 6):
            reply = await transport.exchange(HttpRequest("GET", "/"), SendTimestamp())
            assert reply.body == b"%d" % number * size
            if number == 2:
                await anyio.wait_all_tasks_blocked()
        await transport.aclose()
        assert server.connections == (3 if surplus else 1)


@pytest.mark.anyio
@pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda library: library.__name__)
async def test_a_server_that_speaks_first_answers_no_call(library):
    async def handler(connection) -> None:
        if connection.number == 1:
            await connection.say(STRAY)
        await connection.request()
        await connection.say(answer(b"own"))

    async with serve(handler) as server:
        transport = HttpTransport(request_builder(server.url), TIMEOUT, library)
        request = HttpRequest("GET", "/")
        assert await transport.prepare(request, 0.0) is None
        await anyio.wait_all_tasks_blocked()
        reply = await transport.exchange(request, SendTimestamp())
        await transport.aclose()
    assert (reply.body, server.connections) == (b"own", 2)


@pytest.mark.anyio
@pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda library: library.__name__)
async def test_a_server_with_an_unsigned_certificate_gets_no_request(library, tmp_path):
    async with tls_server(tmp_path) as server:
        transport = HttpTransport(request_builder(server.url), TIMEOUT, library)
        departure = SendTimestamp()
        failure = await transport.exchange(HttpRequest("GET", "/"), departure)
        assert isinstance(failure, TransportFailure)
        assert failure.message.startswith("no connection: the certificate cannot be verified")
        assert (failure.sent, failure.permanent, departure.at) == (False, True, None)
        assert server.heard == []


@pytest.mark.anyio
async def test_a_trusted_certificate_is_enough_and_no_key_log_is_written(tmp_path, monkeypatch):
    """SSLKEYLOGFILE would write down the secrets of every connection."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    forget_certificates(monkeypatch)
    async with tls_server(tmp_path) as server:
        monkeypatch.setattr("certifi.where", lambda: str(tmp_path / "server.pem"))
        transport = HttpTransport(request_builder(server.url), TIMEOUT)
        reply = await transport.exchange(HttpRequest("GET", "/"), SendTimestamp())
        await transport.aclose()
    assert reply.status == 200
    assert not (tmp_path / "keys.log").exists()


@pytest.mark.anyio
async def test_the_environment_names_no_proxy_for_us(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    async with serve(saying(answer())) as server:
        transport = HttpTransport(request_builder(server.url), TIMEOUT)
        reply = await transport.exchange(HttpRequest("GET", "/"), SendTimestamp())
        await transport.aclose()
    assert reply.status == 200


@pytest.mark.anyio
async def test_a_server_that_speaks_no_tls_hears_no_key():
    heard = []

    async def handler(connection) -> None:
        heard.append(await connection.stream.receive())
        await connection.say(answer())

    async with serve(handler) as server:
        transport = HttpTransport(request_builder(server.url.replace("http:", "https:")), TIMEOUT)
        failure = await transport.exchange(HttpRequest("GET", "/"), SendTimestamp())
    assert (failure.sent, failure.permanent) == (False, False)
    assert b"Authorization" not in heard[0]


def test_a_cancellation_is_stripped_of_where_it_came_from():
    try:
        try:
            raise KeyError("inner")
        except KeyError:
            raise ValueError("outer")  # noqa: B904
    except ValueError as error:
        drop_traceback(error)
        caught = error
    assert (caught.__traceback__, caught.__context__, caught.__cause__) == (None, None, None)
