"""The sandbox as an object, an ASGI application and a server."""
