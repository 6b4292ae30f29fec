"""LookC: its endpoints and statuses."""

from __future__ import annotations

from ...providers.lookc.endpoints import TABLE
from ...providers.lookc.provider import LOOKC
from ..answers import lookc
from .base import SandboxProvider

PROVIDER = SandboxProvider(
    provider=LOOKC,
    endpoints=TABLE,
    answers=lookc.ANSWERS,
    statuses=(400, 401, 402, 404, 429, 500, 503),
    background=frozenset({"lookc.person_by_email"}),
)
