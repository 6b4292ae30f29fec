"""An argument of a wrong type is rejected by name in every method, before anything is sent."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable
from typing import Any

import pytest
from lix_methods import METHODS, Wire, client, method, says

from lix_async.core.errors import ConfigurationError
from lix_async.engine.pages import ListingOptions
from lix_async.providers.lix.params import Cookie, Pair, SkillFilter

pytestmark = pytest.mark.anyio

LINK = "https://www.linkedin.com/in/example-person-1"
RIGHT: dict[str, Any] = {
    "profile_link": LINK,
    "url": LINK,
    "cookies": {"li_at": "x"},
    "skills": [SkillFilter("Example", "urn:li:ts_skill:1")],
    "website": "example.com",
    "list_id": "7",
}


class Strange:
    """A value of a type that no argument accepts, and that no error may show."""

    def __repr__(self) -> str:
        return "hidden"


ARGUMENTS = sorted(
    {
        (path, name)
        for id_, path in METHODS.items()
        for argument in inspect.signature(method(client(Wire()), id_)).parameters
        for name in (ListingOptions.__annotations__ if argument == "options" else (argument,))
    }
)


async def called(path: str, wire: Wire, **given: Any) -> None:
    group, _, name = path.partition(".")
    found = getattr(getattr(client(wire, viewer_id="v"), group), name)
    signature = inspect.signature(found)
    needed = {
        name: RIGHT.get(name, "x")
        for name, one in signature.parameters.items()
        if one.default is one.empty and one.kind is not one.VAR_KEYWORD
    }
    result = found(**(needed | given))
    if isinstance(result, Awaitable):
        await result
    else:
        await result.collect()


@pytest.mark.parametrize(("path", "name"), ARGUMENTS)
async def test_every_argument_of_a_wrong_type_is_rejected_by_name(path: str, name: str) -> None:
    wire = Wire(says({}))
    for wrong in (Strange(), Strange, b"x"):
        with pytest.raises(ConfigurationError) as caught:
            await called(path, wire, **{name: wrong})
        assert name in str(caught.value)
        assert "hidden" not in str(caught.value)
    assert wire.sent == []


@pytest.mark.parametrize("path", sorted({path for path, name in ARGUMENTS if name == "viewer_id"}))
async def test_an_empty_viewer_is_rejected(path: str) -> None:
    wire = Wire(says({}))
    with pytest.raises(ConfigurationError, match="viewer_id must not be empty"):
        await called(path, wire, viewer_id="")
    assert wire.sent == []


@pytest.mark.parametrize(
    ("path", "given", "message"),
    [
        ("contact.email", {"recheck": "2"}, "recheck must be a whole number, not str"),
        ("contact.email", {"recheck": True}, "recheck must be a whole number, not bool"),
        ("contact.email", {"pause": None}, "pause must be a number, not None"),
        ("recruiter.people", {"skills": None}, "skills must be a list, not None"),
        ("recruiter.people", {"skills": 5}, "skills must be a list, not int"),
        ("sales.send_message", {"recipients": 5}, "recipients must be a list, not int"),
        ("sales.leads", {"url": "https://www.linkedin.com/\ud800"}, "cannot be encoded as UTF-8"),
        ("sales.leads_by_filters", {"location": 7}, "location must be a Pair or a text or None"),
        ("job_postings.get", {"job_id": 7.0}, "job_id .* must be a text or a whole number"),
    ],
)
async def test_arguments_that_methods_convert(
    path: str, given: dict[str, Any], message: str
) -> None:
    wire = Wire(says({}))
    with pytest.raises(ConfigurationError, match=message):
        await called(path, wire, **given)
    assert wire.sent == []


def test_filters_and_cookies_accept_only_text() -> None:
    for make, message in (
        (lambda: Pair(5), "Pair.text must be a text, not int"),
        (lambda: Pair("a", 105), "Pair.id must be a text, not int"),
        (lambda: SkillFilter("a", None), "SkillFilter.entity must be a text, not None"),
        (lambda: SkillFilter("a", "b", negated=1), "SkillFilter.negated must be True or False"),
        (lambda: Cookie("li_at", b"secret"), "Cookie.value must be a text, not bytes"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            make()
        assert str(caught.value).startswith(message)
