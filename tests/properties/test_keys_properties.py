"""Keys of bulk calls are the same by the fast path and by the slow one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lix_async import AsyncConnectSafely, AsyncLix
from lix_async.bulk.prepared_call import CallPreparer
from lix_async.core.errors import ConfigurationError

lix = AsyncLix("key", viewer_id="me")
safely = AsyncConnectSafely("key")
METHODS: list[Callable[..., Any]] = [
    lix.people.get,
    lix.people.posts,
    lix.people.employment,
    lix.people.extended,
    lix.contact.email,
    lix.organisations.get,
    lix.organisations.by_website,
    lix.search.people,
    safely.profile,
]
names = st.from_regex(r"[a-z0-9-]{0,6}[a-z][a-z0-9-]{0,20}", fullmatch=True)
links = st.builds(
    "{}linkedin.com/{}/{}{}".format,
    st.sampled_from(["https://www.", "https://", "http://", "https://uk.", ""]),
    st.sampled_from(["in", "company", "school", "jobs/view"]),
    names | st.sampled_from(["", "person", "Ada", "ad%61", "12", "a?x=1"]),
    st.sampled_from(["", "/"]),
)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__qualname__)
@given(many=st.lists(links, max_size=6))
@example(many=["https://www.linkedin.com/in/ada", "https://linkedin.com/in/in/"])
def test_a_key_from_a_template_equals_the_key_of_the_call(
    method: Callable[..., Any], many: list[str]
) -> None:
    caller = CallPreparer(method)
    for link in many:
        try:
            call = caller.call(link)
        except ConfigurationError as error:
            with pytest.raises(ConfigurationError, match=r".") as caught:
                caller.call_key(link)
            assert str(caught.value) == str(error)
            continue
        found = caller.call_key(link)
        assert (found.key, found.row) == (call.key, call.row)


def test_only_the_first_of_similar_links_needs_a_call() -> None:
    caller = CallPreparer(lix.people.get)
    made = [caller.call_key(f"https://www.linkedin.com/in/{name}").call for name in ("ada", "bob")]
    assert made[0] is not None
    assert made[1] is None
