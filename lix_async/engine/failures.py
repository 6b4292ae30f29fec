"""What an error of the HTTP library means, by table: the one door for foreign errors."""

from __future__ import annotations

import ssl

# What is known of a failure from its class, for every class of the library (a test looks for
# new ones): may the request have arrived? does a repeat make no sense?
FAILURES: dict[str, tuple[bool, bool, str]] = {
    "InvalidURL": (False, True, "the URL is too long or not valid"),
    "ConnectTimeout": (False, False, "no connection within the timeout"),
    "ConnectError": (False, False, "no connection"),
    "PoolTimeout": (False, False, "no free connection in the HTTP client given"),
    "ProxyError": (False, False, "the proxy refused"),
    "UnsupportedProtocol": (False, True, "the HTTP client cannot reach such an address"),
    "LocalProtocolError": (False, True, "the request is not valid HTTP"),
    "WriteTimeout": (True, False, "the request could not be sent within the timeout"),
    "WriteError": (True, False, "the connection broke while sending"),
    "ReadTimeout": (True, False, "no answer within the timeout"),
    "ReadError": (True, False, "the connection broke before the answer was complete"),
    "RemoteProtocolError": (True, False, "the server broke off or did not speak HTTP"),
    "CloseError": (True, False, "the connection could not be closed"),
    "DecodingError": (True, False, "the answer cannot be unpacked"),
    "TooManyRedirects": (True, True, "redirects"),
    "SSEError": (True, True, "the answer is a stream of events"),
}


def meaning(error: Exception) -> tuple[str, bool, bool]:
    """In words; may it have arrived; is a repeat senseless. Only connecting tells more."""
    names = [kind.__name__ for kind in type(error).__mro__]
    name = next((name for name in names if name in FAILURES), "")
    sent, permanent, message = FAILURES.get(name, (True, False, "the connection failed"))
    if name in ("ConnectError", "ConnectTimeout", "ProxyError"):  # no header in there
        untrusted = _certificate(error)
        permanent = untrusted or (name == "ProxyError" and "407" in str(error))
        why = "the certificate cannot be verified" if untrusted else str(error)
        message = f"{message}: {why}" if why else message
    return f"{message} ({type(error).__name__})", sent, permanent


def _certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def strip(error: BaseException) -> None:
    """Take the HTTP library's frames off a cancellation: their locals hold the key."""
    error.__cause__ = error.__context__ = None
    error.with_traceback(None)
