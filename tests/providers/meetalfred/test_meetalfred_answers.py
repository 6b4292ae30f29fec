"""How responses are read: envelopes, times, missing values, names, keys of team members."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from sample_provider import reply, run

from lix_async.core import wire
from lix_async.core.errors import DecodeError
from lix_async.core.provider import ApiKey
from lix_async.providers.meetalfred import models as m
from lix_async.providers.meetalfred.endpoints import BY_ID, CAMPAIGNS, CONNECTIONS, LEADS
from lix_async.providers.meetalfred.params import NoParams
from lix_async.providers.meetalfred.provider import MEETALFRED

from .stub import answer, client, sample, tree


def read(row: Any, body: object) -> Any:
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return wire.decode(MEETALFRED, row, 200, data)


@pytest.mark.parametrize("row", [row for row in BY_ID.values() if hasattr(row.result, "items")])
def test_items_may_be_bare_or_under_any_key(row: Any) -> None:
    listed = [{"id": 1 if row is CAMPAIGNS else "1"}]
    for body in (
        listed,
        {"actions": listed},
        {"campaigns": listed},
        {"connections": listed},
        {"data": listed},
        {"members": listed, "success": True, "meta": {"x": []}},
    ):
        assert len(read(row, body).items) == 1, body
    assert len(read(row, b'\xef\xbb\xbf [{"id":1}] ').items) == 1
    for empty in ([], {"actions": []}, {}, {"actions": None}, b"", b" \n"):
        if empty != {"actions": None} or row.result.__root__ == "actions":
            assert read(row, empty).items == [], empty


@pytest.mark.parametrize(
    "body", [{"message": "x"}, {"a": [], "b": []}, b"<html>", b"3", b'"x"', b"{"]
)
def test_an_object_without_items_is_an_error(body: Any) -> None:
    error = read(LEADS, body)
    assert isinstance(error, DecodeError)
    if body == b"<html>":
        assert "web page" in str(error)


def test_bare_and_wrapped_samples_give_the_same_items() -> None:
    live = tree("connections.live")["actions"]
    assert read(CONNECTIONS, live) == read(CONNECTIONS, {"actions": live})


def test_a_campaign_has_one_id_and_one_name_in_either_form() -> None:
    rich = run(client(answer("campaigns")).campaigns())
    live = run(client(answer("campaigns.live")).campaigns())
    for campaigns in (rich, live):
        assert [(one.campaign_id, one.title) for one in campaigns] == [
            (101, "Example Campaign 1"),
            (102, "Example Campaign 2"),
        ]
    assert (live[0].key, live[0].label, live[1].dropdown) == (None, "Example Campaign 1", True)
    assert (rich[0].status, rich[0].run_state) == ("active", "paused"), "a status is no motion"
    assert (m.Campaign().campaign_id, m.Campaign().title) == (None, None)


def test_the_misspelt_field_is_read_in_both_forms() -> None:
    (lead,) = read(LEADS, sample("leads")).items
    found = lead.campaign.search_parameters.nonprofit_interests
    assert found.skilled_volunteering is False
    assert b'"skilledVounteering":false' in msgspec.json.encode(found)
    for name in ("skilledVounteering", "skilledVolunteering"):
        body = {"key": 1, "search_parameters": {"nonprofitInterests": {name: True}}}
        (campaign,) = read(CAMPAIGNS, [body]).items
        assert campaign.search_parameters.nonprofit_interests.skilled_volunteering is True


def test_times_are_read_in_three_forms() -> None:
    moment = datetime(2025, 1, 7, 8, 15, 1, tzinfo=UTC)
    for text in (
        "2025-01-07 08:15:01+00:00",
        "Tue, 07 Jan 2025 08:15:01 GMT",
        "2025-01-07T08:15:01Z",
        "2025-01-07T10:15:01+02:00",
        "2025-01-07 08:15:01",
    ):
        (found,) = read(CONNECTIONS, [{"id": "1", "connectedAt": text}]).items
        assert found.connected_time == moment
        assert found.connected_time.tzinfo is UTC
        assert found.connected_at == text
    for text in ("", None, "yesterday"):
        (found,) = read(CONNECTIONS, [{"id": "1", "connectedAt": text}]).items
        assert found.connected_time is None


def test_every_time_of_the_samples_can_be_read() -> None:
    lead, bare = read(LEADS, sample("leads.live")).items
    assert lead.campaign.created_time == datetime(2025, 1, 6, 9, tzinfo=UTC)
    assert lead.campaign.created_time == bare.campaign.created_time, "two formats in one answer"
    assert lead.campaign.updated_time == datetime(2025, 1, 8, 10, 30, tzinfo=UTC)
    assert lead.campaign.next_search_time == datetime(2025, 1, 6, 15, tzinfo=UTC)
    assert lead.next_touch_time == datetime(2025, 1, 9, 8, tzinfo=UTC)
    assert lead.request_connect_time == datetime(2025, 1, 7, 8, tzinfo=UTC)
    assert lead.return_to_campaign_time is None
    assert lead.last_action.created_time == lead.last_action.msg_created_time
    replies = read(BY_ID["meetalfred.new_reply_detected"], sample("new-reply-detected.live")).items
    assert [one.reply_detected_time.hour for one in replies] == [11, 10]
    actions = read(BY_ID["meetalfred.get_last_actions"], sample("get-last-actions.live")).items
    assert [one.created_time.day for one in actions] == [9, 9, 8], "newest first"


def test_null_and_empty_text_are_none() -> None:
    (found,) = read(CONNECTIONS, sample("connections")).items
    assert (found.email, found.phone, found.twitter, found.skype, found.aim) == (None,) * 5
    assert (found.object_urn, found.degree, found.tags) == ("700000001", 1, [])
    (found,) = read(CONNECTIONS, [{"id": "1", "languages": "", "skills": ["x"], "title": ""}]).items
    assert (found.languages, found.skills, found.title) == (None, ["x"], None)


def test_a_connection_has_49_fields_in_three_styles() -> None:
    assert len(m.Connection.__struct_fields__) == 49
    assert set(m.Connection.__struct_encode_fields__) == set(tree("connections")[0])
    assert m.Connection(entity_urn="x").identity == "x"


def test_every_field_of_a_lead_may_be_missing() -> None:
    (found,) = read(LEADS, [{}]).items
    assert (found.identity, found.person, found.last_action, found.custom_data) == (
        None,
        None,
        None,
        {},
    )
    live, bare = read(LEADS, sample("leads.live")).items
    assert live.custom_data == {"example_column": "example value"}
    assert (bare.person.linkedin_data, bare.person.object_urn) == (None, "700000002")
    (old,) = read(LEADS, sample("leads")).items
    assert (old.person.name, old.person.first_name) == ("Example Person 1", None)
    assert old.person.linkedin_data.shared_connections == "3 shared connections"


def test_one_person_may_be_a_lead_of_two_campaigns() -> None:
    page = read(LEADS, [{"id": "a", "campaign": {"key": 1}}, {"id": "a", "campaign": {"id": 2}}])
    assert [one.identity for one in page.items] == ["1:a", "2:a"]
    assert m.Lead(id="a").identity == "None:a"


def test_a_field_of_an_unknown_type_takes_anything() -> None:
    odd = [{"key": "5", "limit_exceeded": value} for value in (None, "x", 1, [1], {"a": 1})]
    assert [one.limit_exceeded for one in read(CAMPAIGNS, odd).items] == [
        None,
        "x",
        1,
        [1],
        {"a": 1},
    ], "also where a number in a text has to be repaired"


def test_ids_are_numbers_or_texts() -> None:
    actions = read(BY_ID["meetalfred.get_last_actions"], sample("get-last-actions.live")).items
    assert [one.id for one in actions] == [9103, "9102", 9101]
    assert [one.identity for one in actions] == ["9103", "9102", "9101"]
    assert actions[0].lead.campaign.campaign_id == 101
    assert (m.Action().identity, m.Reply().identity) == (None, None)


def test_keys_of_team_members_are_not_shown() -> None:
    members = run(client(answer("get-team-members.live")).get_team_members())
    key = members[0].webhook_key
    assert isinstance(key, ApiKey)
    assert key.reveal() == "EXAMPLE-PLACEHOLDER-1"
    for shown in (
        repr(members),
        str(members[0]),
        f"{key}",
        msgspec.json.encode(members).decode(),
        repr(msgspec.to_builtins(members)),
        repr(vars(members[0])),
        repr(msgspec.structs.asdict(members[0])),
        pickle.dumps(members).decode("latin-1"),
    ):
        assert "PLACEHOLDER" not in shown
    assert (members[0].name, members[1].timezone) == ("Example Person 1", None)
    assert copy.copy(members[0]).webhook_key is None
    assert members[0] == copy.copy(members[0])


def test_a_members_key_may_be_missing_or_invalid() -> None:
    found = run(client(reply(200, [{"id": "x"}, {"webhook_key": "no key"}])).get_team_members())
    assert [one.webhook_key for one in found] == [None, None]
    assert "no key" not in repr(found)


def test_the_body_has_the_keys_as_sent() -> None:
    found = client(answer("get-team-members.live"))
    received = run(found.send(BY_ID["meetalfred.get_team_members"], NoParams()))
    assert b"EXAMPLE-PLACEHOLDER-2" in received.body


def test_the_result_of_adding_a_lead() -> None:
    for body, success in (({"id": 9201, "success": True}, True), ({"success": False}, False)):
        found = client(reply(200, body))
        assert run(found.add_lead_to_campaign(1, email="a@example.com")).success is success
    empty = run(client(reply(200, b"")).add_lead_to_campaign(1, email="a@example.com"))
    assert (empty.id, empty.message, empty.success) == (None, None, None)
