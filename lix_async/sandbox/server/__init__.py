"""The sandbox: as an object, as an ASGI application and as a server on a port.

Reading order: `sandbox` (one request in, one response out), `asgi` (the web application), `admin`
(its own pages below `/_sandbox`), `server` (uvicorn), `base_urls`, `extras`.

May import all other parts of the sandbox.
"""
