"""Fields that list the words they are known to have, and take any other text."""

from __future__ import annotations

from typing import Literal, get_args, get_type_hints

import msgspec
import pytest
from pydantic import TypeAdapter
from structs import fields_of, provider_structs

from lix_async.core.decoding import decoder_for
from lix_async.core.json_text import SchemaMismatch
from lix_async.core.schema_drift import Drift, DriftDetector
from lix_async.providers.connectsafely.models import AccountStatus
from lix_async.providers.lix.models import Email, EmploymentPage

OPEN = [
    (cls, field)
    for cls in provider_structs()
    for field in fields_of(cls)
    if any(get_args(part) and isinstance(get_args(part)[0], str) for part in get_args(field.type))
]


def test_the_listed_words_are_literals() -> None:
    names = {f"{cls.__name__}.{field.name}" for cls, field in OPEN}
    assert names >= {
        "AccountStatus.status",
        "Campaign.status",
        "Email.status",
        "Employment.employment_type",
        "Follower.member_distance",
        "LinkedInPlan.premium_type",
        "Profile.connection_degree",
        "Quota.window",
        "Reaction.reaction_type",
        "RequestStatus.status",
        "SalesMessage.type",
        "Warmup.status",
    }
    assert get_args(get_args(get_type_hints(Email)["status"])[0]) == ("VALID", "PROBABLE")


@pytest.mark.parametrize(
    ("cls", "field"), OPEN, ids=lambda one: getattr(one, "name", None) or one.__name__
)
def test_any_other_word_is_read_and_written(cls: type, field: msgspec.structs.FieldInfo) -> None:
    body = msgspec.json.encode({field.encode_name: "SOMETHING NEW"})
    decoder = decoder_for(cls)
    assert getattr(decoder.read(body), field.name) == "SOMETHING NEW"
    adapter = TypeAdapter(cls)
    assert adapter.validate_json(body) == decoder.read(body)
    schema = adapter.json_schema()
    schema = schema["$defs"][cls.__name__] if "$ref" in schema else schema
    choices = schema["properties"][field.encode_name]["anyOf"]
    assert {"type": "string"} in choices
    assert {"type": "null"} in choices
    assert any("enum" in one or "const" in one for one in choices)


@pytest.mark.parametrize(("sent", "read"), [(3, "3"), (True, "true"), (None, None), (1.5, "1.5")])
def test_a_number_there_is_a_text(sent: object, read: str | None) -> None:
    body = msgspec.json.encode({"status": sent, "alternatives": None})
    assert decoder_for(Email).read(body).status == read


def test_an_object_there_does_not_fit() -> None:
    with pytest.raises(SchemaMismatch, match="expected a text, got an object") as caught:
        decoder_for(Email).read(b'{"status": {"word": "VALID"}}')
    assert caught.value.path == "$.status"


def test_in_the_rows_of_a_page_it_costs_itself_alone() -> None:
    body = b'{"experiences": [{"title": "CEO", "employmentType": ["Full-time"]}, {"title": "x"}]}'
    page = decoder_for(EmploymentPage).read(body)
    assert [(row.title, row.employment_type) for row in page.items] == [("CEO", None), ("x", None)]
    assert page.counts.repaired == 1


def test_drift_beside_them_is_reported() -> None:
    drifts: list[Drift] = []
    detector = DriftDetector(drifts.append)
    body = b'{"status": "NEW", "colour": "red", "linkedinPlan": {"premiumType": "X", "age": 3}}'
    detector.observe("status", AccountStatus, body)
    assert [(one.kind, one.path) for one in drifts] == [
        ("new", "colour"),
        ("new", "linkedinPlan.age"),
    ]


def test_a_closed_union_is_unchanged() -> None:
    class Closed(msgspec.Struct):
        word: Literal["a", "b"] | None = None

    with pytest.raises(SchemaMismatch):
        decoder_for(Closed).read(b'{"word": "c"}')
