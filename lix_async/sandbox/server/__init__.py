"""The sandbox: as an object, as an ASGI application and as a server on a port.

Reading order: `sandbox` (one request in, one response out), `asgi` (the web application), `admin`
(its own pages below `/_sandbox`), `connection` (HTTP/1.1 over h11), `server`, `base_urls`.

May import all other parts of the sandbox.
"""
