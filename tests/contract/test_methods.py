"""Every argument of a method becomes the param of the same name."""

from __future__ import annotations

from typing import Any

import pytest
from lix_methods import METHODS, Recorded, Recorder, arguments, method

from lix_async import AsyncLix
from lix_async.providers.lix.endpoints import BY_ID
from lix_async.providers.lix.params import Cookie, SkillFilter

pytestmark = pytest.mark.anyio

SENT: dict[str, object] = {
    "cookies": [Cookie("li_at", "<value>")],
    "skills": [SkillFilter("<text>", "<entity>")],
    "recipients": ["<recipient>"],
    "url": "https://www.linkedin.com/<url>",
    "recheck": 0,
    "pause": 0.0,
}
OF_THE_METHOD = {"recheck", "pause"}
"""Arguments that are not params: how often and at what interval to repeat the call."""
LONG = "https://www.linkedin.com/sales/search/people?query=" + "x" * 2000


def given(id_: str) -> dict[str, object]:
    """A distinct value for each argument."""
    values: dict[str, object] = {}
    for place, (name, one) in enumerate(arguments(id_).items()):
        number = "int" in str(one.annotation).split(" | ") and "str" not in str(one.annotation)
        flag = "bool" in str(one.annotation)
        values[name] = SENT.get(name, flag or (100 + place if number else f"[<{name}>"))
    if id_ == "sales.search_people_post":
        values["url"] = LONG
    return values


@pytest.mark.parametrize("id_", METHODS)
async def test_arguments_become_params_of_the_endpoint(id_: str) -> None:
    client, values = Recorder(), given(id_)
    called: Any = method(client, id_)
    if BY_ID[id_].paging is None:
        with pytest.raises(Recorded):
            await called(**values)
    else:
        options = {"max_items": 7, "max_credits": 9, "resume": None, "prefetch": 1}
        assert called(**values, **options) == options
    assert client.row is BY_ID[id_]
    assert type(client.params) is client.row.params
    for name, value in values.items():
        if name not in OF_THE_METHOD:
            assert getattr(client.params, name) == value, name


@pytest.mark.parametrize("id_", METHODS)
async def test_an_unknown_argument_is_rejected(id_: str) -> None:
    called: Any = method(AsyncLix("key"), id_)
    with pytest.raises(TypeError, match="unexpected keyword argument 'max_item'"):
        called(**given(id_), max_item=7)


@pytest.mark.parametrize("id_", METHODS)
async def test_every_param_has_an_argument(id_: str) -> None:
    also = {"type"} if id_ == "facets.recruiter" else set()  # the second name of `q`
    fields = set(BY_ID[id_].params.__struct_fields__)
    assert fields == (set(arguments(id_)) - OF_THE_METHOD) | also


async def test_cookies_may_be_a_mapping_or_plain_objects() -> None:
    for jar in ({"li_at": "x"}, [{"key": "li_at", "value": "x"}], [Cookie("li_at", "x")]):
        client = Recorder()
        with pytest.raises(Recorded):
            await client.account.put_linkedin(jar)
        assert getattr(client.params, "cookies") == [Cookie("li_at", "x")]  # noqa: B009  # untyped


async def test_ids_of_digits_may_be_numbers() -> None:
    client = Recorder()
    with pytest.raises(Recorded):
        await client.job_postings.get(3000000001)
    client.sales.lead_list(7000000000000000001)
    assert "list_id='7000000000000000001'" in repr(client.params)
