"""Links: the target and the command of each."""

from __future__ import annotations

import pytest

from lix_async.cli.errors import CommandError
from lix_async.cli.input.targets import check_url, command_for, parse_target

L = "https://www.linkedin.com"


@pytest.mark.parametrize(
    ("url", "command"),
    [
        (f"{L}/search/results/people/?keywords=a&origin=b", 'search people "URL"'),
        (f"{L}/search/results/content/?keywords=a", 'search posts "URL"'),
        (f"{L}/search/results/companies/?keywords=a", 'search orgs "URL"'),
        (f"{L}/jobs/search/?keywords=a", 'search jobs "URL"'),
        (f"{L}/sales/search/people?query=(a)", 'leads "URL"'),
        (f"{L}/sales/search/company?query=(a)", 'accounts "URL"'),
        (f"{L}/in/ada", 'person "URL"'),
        (f"{L}/company/acme/about", 'org "URL"'),
        (f"{L}/sales/lists/people/77", "call sales.list_people --list-id 77"),
        (f"{L}/sales/lists/company/77", "call sales.list_orgs --list-id 77"),
        (f"{L}/jobs/view/4012345678", "call enrich.job --job-id 4012345678"),
        (f"{L}/somewhere/new", None),
        ("https://example.com/in/ada", None),
    ],
)
def test_the_command_for_a_link(url: str, command: str | None) -> None:
    assert command_for(url) == command


def test_a_url_for_another_command_has_a_hint() -> None:
    with pytest.raises(CommandError) as caught:
        check_url(f"{L}/sales/search/people?query=(a)", "search people")
    assert caught.value.hint == 'try: lix leads "URL"'
    with pytest.raises(CommandError) as caught:
        check_url(f"{L}/search/results/all/?keywords=a", "search people")
    assert "choose People" in caught.value.hint
    with pytest.raises(CommandError, match="not a LinkedIn URL"):
        check_url("https://linkedin.com.example.org/search/results/people/", "search people")


def test_an_unknown_page_is_accepted_and_a_scheme_is_added() -> None:
    assert check_url("www.linkedin.com/search/new/?a=b", "search people").startswith("https://www")


@pytest.mark.parametrize(
    "text",
    [
        f"{L}/in/Ada-Example/?trk=1",
        "uk.linkedin.com/in/ada-example",
        f" {L}/in/ada-example/en/ ",
        f"{L}/in/ada%2Dexample#about",
    ],
)
def test_all_links_to_a_profile_have_one_key(text: str) -> None:
    found = parse_target(text)
    assert found is not None
    assert (found.kind, found.key) == ("person", parse_target(f"{L}/in/ada-example").key)  # type: ignore[union-attr]
    assert found.text == text.strip() == found.sent


def test_targets_of_every_kind() -> None:
    kinds = {
        "Ada@Example.com": "email",
        "mailto:ada@example.com": "email",
        f"{L}/company/acme": "org",
        f"{L}/sales/company/123": "org",
        f"{L}/sales/lead/ACwAAexample12,NAME,x": "person",
    }
    assert {text: parse_target(text).kind for text in kinds} == kinds  # type: ignore[union-attr]
    assert [parse_target(text) for text in ("", "ada", "a b@c", f"{L}/feed/", "Name")] == [None] * 5
    assert parse_target("mailto:ada@example.com").sent == "ada@example.com"  # type: ignore[union-attr]
    assert parse_target(f"{L}/sales/company/123").sales  # type: ignore[union-attr]
