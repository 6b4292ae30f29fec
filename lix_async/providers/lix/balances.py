"""What a Lix account has left: balances and the day's allowance.

Contract: lix.md#account.balances, lix.md#account.daily_allowance
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from ...core.endpoint import BalanceEndpoints, CreditKind, Endpoint
from ...core.models import Params
from .endpoints.accounts import BALANCES, DAILY_ALLOWANCE
from .models import Balances, DailyAllowance
from .params import NoParams


def _credits(answer: object) -> Mapping[CreditKind, int]:
    balances = cast("Balances", answer)
    tops_up = balances.auto_top_up_enabled
    found: dict[CreditKind, int | None] = {"email": balances.email_balance}
    # What is topped up by itself does not run out.
    if tops_up is None or not tops_up.standard:
        found["standard"] = balances.linkedin_balance
    if tops_up is None or not tops_up.org:
        found["org"] = balances.lookc_balance
    return {kind: left for kind, left in found.items() if left is not None}


def _left(answer: object) -> tuple[int | None, float | None]:
    allowance = cast("DailyAllowance", answer)
    full = allowance.refreshes_at
    return allowance.requests_remaining, None if full is None else full.timestamp()


BALANCE_ENDPOINTS = BalanceEndpoints(
    params=NoParams(),
    balances=cast("Endpoint[Params, object]", BALANCES),
    credits=_credits,
    allowance=cast("Endpoint[Params, object]", DAILY_ALLOWANCE),
    left=_left,
)
