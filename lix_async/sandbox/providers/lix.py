"""Lix: its endpoints, and which requests cost something."""

from __future__ import annotations

from ...providers.lix.endpoints import TABLE
from ...providers.lix.provider import LIX
from ..answers import lix
from .base import SandboxProvider

PROVIDER = SandboxProvider(
    provider=LIX,
    endpoints=TABLE,
    answers=lix.ANSWERS,
    param_names={"domain": "website"},
    is_charged=lix.is_charged,
    needs_credit=lix.needs_credit,
    counts_daily=lambda endpoint_id: not endpoint_id.startswith("account."),
    loose=frozenset({"linkedin_account.list"}),
)
