"""Faults of the other stages: error responses, broken connections and damaged responses."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import chain, repeat

from ..protocol import errors
from ..protocol.errors import ErrorReply
from ..protocol.responses import JSON, SandboxResponse, error_response, json_response, response
from .schedule import Fault

_HTML = b"<!doctype html><html><head><title>%s</title></head><body><h1>%s</h1></body></html>"
_MIB = 1024 * 1024

ErrorRenderer = Callable[[ErrorReply], SandboxResponse]
"""How a provider writes an error response."""

_ERRORS: Mapping[str, Callable[[], ErrorReply]] = {
    "rate_limit": errors.rate_limit,
    "quota": errors.quota_exceeded,
    "unauthorized": errors.unauthorized,
    "viewer_invalid": errors.viewer_invalid,
    "params_invalid": lambda: errors.params_invalid("a parameter is wrong"),
    "not_found": lambda: ErrorReply(400, "not_found", "profile could not be found"),
    "unknown_record": lambda: errors.unknown_record("record"),
    "unknown_route": errors.unknown_route,
    "api_error": lambda: ErrorReply(500, "api_error"),
    "no_type": lambda: ErrorReply(500, None, "something went wrong"),
    "unavailable": lambda: ErrorReply(503, None, "temporarily unavailable"),
}


def _html_response(status: int, text: bytes) -> SandboxResponse:
    return response(status, _HTML % (text, text), "text/html; charset=utf-8")


def refusal_response(
    fault: Fault, epoch: float, render: ErrorRenderer = error_response
) -> SandboxResponse:
    """The response of a fault of the stage `refusal`.

    Args:
        fault: The fault.
        epoch: The current time in seconds since the epoch.
        render: Writes the provider's own errors. Proxies' pages are the same for all providers.
    """
    match fault.name:
        case "rate_limit_weekly":
            answer = render(errors.weekly_limit(epoch))
        case "daily_limit":
            answer = render(errors.daily_limit(epoch))
        case "string_error":
            answer = json_response({"error": "something went wrong"}, 500)
        case "bad_gateway":
            answer = _html_response(502, b"502 Bad Gateway")
        case "gateway_timeout":
            answer = _html_response(504, b"504 Gateway Time-out")
        case "html200":
            answer = _html_response(200, b"Please wait")
        case "empty200":
            answer = response(200, b"")
        case "redirect":
            answer = response(
                302, b"", JSON, {"location": fault.text("to", "https://example.org/")}
            )
        case name:
            answer = render(_ERRORS[name]())
    if "status" in fault.options:
        answer.status = int(fault.text("status"))
    if (retry_after := fault.text("retry-after")).startswith("date:"):
        from email.utils import formatdate  # late: the package `email` is large

        answer.headers["Retry-After"] = formatdate(epoch + float(retry_after[5:]), usegmt=True)
    elif retry_after:
        answer.headers["Retry-After"] = retry_after
    return answer


def queued_response(fault: Fault, render: ErrorRenderer = error_response) -> SandboxResponse:
    """The response to a lookup that is not ready."""
    status = int(fault.number("status", 202))
    return render(ErrorReply(status, "queued", "lookup queued, try again later"))


def broken_connection() -> SandboxResponse:
    """No response: the connection breaks."""
    return SandboxResponse(disconnect="reset")


def apply_to_response(fault: Fault, body: bytes, status: int = 200) -> SandboxResponse:
    """A response with a fault of the stage `after`."""
    answer = response(status, body)
    match fault.name:
        case "reset_after":
            return broken_connection()
        case "truncated":
            answer.chunks, answer.disconnect = [body[: len(body) // 2]], "close"
        case "slow":
            answer.delay = fault.number("seconds", 5)
        case "drip":
            size = max(len(body) // 8, 1)
            answer.chunks = [body[at : at + size] for at in range(0, len(body), size)]
            answer.chunk_delay = fault.number("seconds", 5) / 8
        case "wrong_type":
            answer.headers["content-type"] = "text/html; charset=utf-8"
        case "gzip_bomb":
            answer = _compressed_response(
                b"".join(_gzip_bomb(body, int(fault.number("mib", 256)))), "gzip"
            )
        case "chained_encoding":
            answer = _compressed_response(
                gzip.compress(gzip.compress(body, mtime=0), mtime=0), "gzip, gzip"
            )
        case "huge":
            count = int(fault.number("mib", 80))
            answer.chunks = chain([body], repeat(b" " * _MIB, count))
            answer.content_length = len(body) + count * _MIB
        case name:
            answer = response(200, _DAMAGED_BODIES[name](body))
    return answer


_DAMAGED_BODIES: Mapping[str, Callable[[bytes], bytes]] = {
    "broken_json": lambda body: body[: len(body) // 2],
    "invalid_utf8": lambda body: body[:-1] + b',"sandbox":"\xff"}',
    "deep_json": lambda body: body[:-1] + b',"sandbox":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "odd_number": lambda body: body[:-1] + b',"paging":{"count":1,"start":0,"total":1e400}}',
}


def _compressed_response(body: bytes, encoding: str) -> SandboxResponse:
    return response(200, body, JSON, {"content-encoding": encoding})


def _gzip_bomb(body: bytes, mib: int) -> Iterator[bytes]:
    """A gzip stream of the body and `mib` MiB of spaces.

    Built by hand, because compressing hundreds of MiB of spaces takes seconds.
    """
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    yield b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    yield compressor.compress(body) + compressor.flush(zlib.Z_FULL_FLUSH)
    block, spaces = _compressed_spaces()
    yield from repeat(block, mib)
    yield b"\x03\x00"
    check = zlib.crc32(body)
    for _ in range(mib):
        check = zlib.crc32(spaces, check)
    size = (len(body) + mib * _MIB) % 2**32
    yield check.to_bytes(4, "little") + size.to_bytes(4, "little")


@lru_cache(maxsize=1)
def _compressed_spaces() -> tuple[bytes, bytes]:
    # After a full flush a compressed block stands on its own, so one block can be repeated.
    spaces = b" " * _MIB
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compressor.compress(spaces) + compressor.flush(zlib.Z_FULL_FLUSH), spaces
