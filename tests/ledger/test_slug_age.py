"""For how long a slug is believed: a setting of the ledger."""

from __future__ import annotations

from datetime import timedelta

import pytest
from servers import postgres_dsn  # noqa: F401  # a fixture

from lix_async.core.errors import ConfigurationError
from lix_async.ledger import Ledger

from .test_forgetting import Open, Provider, ledger, link, run, sales  # noqa: F401  # a fixture

pytestmark = pytest.mark.anyio
DAY = 86_400_000


async def test_a_slug_is_believed_for_as_long_as_the_ledger_says(ledger: Open) -> None:  # noqa: F811
    provider = Provider()
    async with ledger() as store:
        await run(store, provider, sales(1))
        await store.statement(
            lambda tables: tables.database.change("UPDATE alias SET seen = seen - ?", (100 * DAY,))
        )
        found = await Ledger(store).resolve(link(1))
        assert (found.subject is not None, found.expired) == (True, False)
        await Ledger(store).set_slug_age(timedelta(days=90))
        assert (await Ledger(store).resolve(link(1))).expired
        assert not (await Ledger(store).resolve(sales(1))).expired
    async with ledger() as store:  # also for who opens it later
        (outcome,) = await run(store, provider, link(1))
        assert (outcome.via, outcome.credits) == ("", 1)
        await Ledger(store).set_slug_age(timedelta(days=120).total_seconds())
        await store.statement(
            lambda tables: tables.database.change("UPDATE alias SET seen = seen - ?", (100 * DAY,))
        )
        assert not (await Ledger(store).resolve(link(1))).expired


@pytest.mark.parametrize("age", [None, "90d", float("nan"), True])
async def test_what_is_no_age_is_refused(ledger: Open, age: object) -> None:  # noqa: F811
    async with ledger() as store:
        with pytest.raises(ConfigurationError, match=r"^age must be"):
            await Ledger(store).set_slug_age(age)  # type: ignore[arg-type]  # checked at run time
