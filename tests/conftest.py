"""Every async test runs on asyncio (in debug mode) and on trio."""

from __future__ import annotations

import pytest
from hypothesis import settings

# No time limit for each example: machines may be busy.
settings.register_profile("lix_async", deadline=None)
settings.load_profile("lix_async")


@pytest.fixture(
    params=[
        pytest.param(("asyncio", {"debug": True}), id="asyncio"),
        pytest.param(("trio", {}), id="trio"),
    ]
)
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Ids without addresses or bytes that change: all worker processes must get the same ones."""
    return argname if isinstance(val, bytes) or " at 0x" in repr(val) else None
