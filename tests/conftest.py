"""Every async test runs on asyncio (in debug mode) and on trio."""

from __future__ import annotations

import pytest
from hypothesis import settings

# A busy machine is no failure: properties have no time limit for each example.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture(
    params=[
        pytest.param(("asyncio", {"debug": True}), id="asyncio"),
        pytest.param(("trio", {}), id="trio"),
    ]
)
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Names without addresses or gzip's clock: processes that share the suite must agree."""
    return argname if isinstance(val, bytes) or " at 0x" in repr(val) else None
