"""Meet Alfred has no lookup, and a waterfall says so."""

from __future__ import annotations

import pytest
from sample_provider import Script

pytest.importorskip("lix_async.providers.meetalfred.client", reason="the provider is not installed")

from lix_async.core.errors import ConfigurationError
from lix_async.providers.meetalfred.client import AsyncMeetAlfred
from lix_async.waterfall import Waterfall, steps_of

from .stub import Lookup

ALFRED = AsyncMeetAlfred("key", http_client=Script({}))


def test_it_has_no_steps_and_gives_the_reason() -> None:
    assert steps_of(ALFRED) == ()
    with pytest.raises(ConfigurationError, match="it lists one's own campaigns"):
        Waterfall([ALFRED])


def test_among_other_sources_it_is_skipped() -> None:
    falls = Waterfall([ALFRED, Lookup("one.person", {"email": None}).step])
    assert [step.name for step in falls.steps] == ["one.person"]
    assert "has no lookup" in falls.skipped["Meet Alfred"]
