"""Structs as types of pydantic and FastAPI, all of them, compared with what msgspec does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Annotated, Any, get_type_hints

import httpx
import msgspec
import pydantic
import pytest
from fastapi import Body, FastAPI
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from pydantic import TypeAdapter
from structs import LEDGER, OTHERS, fields_of, filled, provider_structs

from lix_async import NotFoundError, Page, bulk
from lix_async.core.decoding import read_items
from lix_async.providers.lix.models import JobPosting, Person
from lix_async.providers.lookc.models import Lookup, LookupAnswer, PersonByEmail

PERSON = msgspec.json.decode(
    b'{"firstName":"Ada","defaultDBID":4,"experience":[{"title":"CEO","organisation":{"name":"E"}}],'
    b'"relatedPersons":[{"name":"Bo","relatedPersons":[{"name":"Cy"}]}]}',
    type=Person,
)


@pytest.mark.parametrize(
    "cls", [*provider_structs(), *OTHERS, *LEDGER], ids=lambda cls: cls.__qualname__
)
def test_a_struct_is_written_as_msgspec_writes_it_and_read_again(cls: type) -> None:
    adapter = TypeAdapter(cls)
    values = [filled(cls)]
    if not any(field.required for field in fields_of(cls)):
        values.append(cls())
    for value in values:
        written = adapter.dump_json(value)
        assert written == adapter.dump_json(value, by_alias=True)
        assert written == msgspec.json.encode(value, enc_hook=str)
        if cls not in (bulk.Outcome, *(one for one in OTHERS if hasattr(one, "errors"))):
            assert msgspec.json.encode(adapter.validate_json(written)) == written
        names = set(json.loads(adapter.dump_json(value, by_alias=False)))
        assert names <= {field.name for field in fields_of(cls)} or isinstance(value, dict)


def test_the_python_names_and_parts_of_a_struct_can_be_asked_for() -> None:
    adapter = TypeAdapter(Person)
    assert adapter.dump_json(PERSON, by_alias=False, exclude={"related_persons"}) == (
        b'{"first_name":"Ada","default_db_id":4,'
        b'"experience":[{"title":"CEO","organisation":{"name":"E"}}]}'
    )
    included = adapter.dump_python(
        PERSON, include={"first_name": True, "experience": {0: {"title"}}}
    )
    assert included == {"firstName": "Ada", "experience": [{"title": "CEO"}]}


class Card(pydantic.BaseModel):
    person: Person
    jobs: list[JobPosting] = []
    others: dict[str, Person | None] = {}


def test_a_struct_is_a_field_of_a_model_and_comes_back() -> None:
    card = Card(person=PERSON, jobs=[JobPosting(title="x")], others={"a": PERSON, "b": None})
    assert card.person is PERSON
    again = Card.model_validate_json(card.model_dump_json())
    assert again == card
    assert isinstance(again.jobs[0], JobPosting)
    assert Card.model_validate(card.model_dump()) == card


@pytest.mark.parametrize(
    ("value", "message", "path"),
    [
        ({"name": 3}, "Expected `str | null`, got `int` at $.name", "$.name"),
        (
            {"experience": [{}, {"title": ["{x}"]}]},
            "Expected `str | null`, got `array` at $.experience[1].title",
            "$.experience[1].title",
        ),
        ([], "Expected `object`, got `array` at $", "$"),
        (LookupAnswer(), "Expected `object`, got `LookupAnswer` at $", "$"),
    ],
)
def test_what_does_not_fit_is_an_error_of_pydantic_with_its_path(
    value: object, message: str, path: str
) -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        Card.model_validate({"person": value})
    (error,) = caught.value.errors()
    assert (error["type"], error["loc"]) == ("struct", ("person",))
    assert (error["msg"], error["ctx"]) == (message, {"path": path})


def test_an_open_object_and_an_error_cannot_be_read_from_anything_else() -> None:
    with pytest.raises(pydantic.ValidationError, match=r"Expected `object`, got `int` at \$"):
        TypeAdapter(JobPosting).validate_python(3)
    outcome = {"input": 1, "state": "failed", "error": "x"}
    with pytest.raises(pydantic.ValidationError, match=r"Expected `object`.* at \$\.error"):
        TypeAdapter(bulk.Outcome[Person]).validate_python(outcome)
    error = NotFoundError("missing")
    assert TypeAdapter(NotFoundError).validate_python(error) is error
    with pytest.raises(pydantic.ValidationError, match="cannot be read from JSON"):
        TypeAdapter(NotFoundError).validate_python("missing")


def test_a_subclass_is_written_with_the_fields_of_the_declared_type() -> None:
    answer = LookupAnswer(request_id="secret", domain_info=None)
    assert TypeAdapter(PersonByEmail).dump_json(answer) == b'{"hits":[]}'
    lookup = Lookup(request_id="r")
    assert TypeAdapter(Lookup).dump_json(lookup) == b'{"request_id":"r"}'
    (unreadable,) = read_items(Person, b"[3]")
    assert TypeAdapter(Person).dump_json(unreadable) == b"{}"


def test_a_page_is_written_without_the_answer_behind_it() -> None:
    page = Page([PERSON], 25, 1, 812, None, None)
    adapter = TypeAdapter(Page[Person])
    assert json.loads(adapter.dump_json(page)) == {
        "items": [json.loads(msgspec.json.encode(PERSON))],
        "start": 25,
        "count": 1,
        "total": 812,
        "sequence_id": None,
    }
    again = adapter.validate_json(adapter.dump_json(page))
    assert (again.items, again.start, again.answer) == ([PERSON], 25, None)
    assert adapter.validate_python(page) is page
    bare: TypeAdapter[Page[Any]] = TypeAdapter(Page)
    assert bare.validate_python({"items": [3], "start": 0, "count": 1}).items == [3]
    assert bare.json_schema()["title"] == "Page"


def test_an_outcome_is_written_with_its_error_as_text() -> None:
    outcome = bulk.Outcome[Person](input="x", state="refused", error=NotFoundError("missing"))
    written = json.loads(TypeAdapter(bulk.Outcome[Person]).dump_json(outcome))
    assert (written["error"], written["value"], written["body"]) == ("missing", None, "")


def app_of_all_structs() -> FastAPI:
    app = FastAPI()

    def add(number: int, cls: Any) -> None:
        def route(value: Any) -> Any: ...

        route.__annotations__ = {"value": Annotated[cls, Body()], "return": cls}
        app.post(f"/{number}")(route)

    types = [*provider_structs(), *OTHERS, *LEDGER, Page[Person], bulk.Outcome[Person]]
    for number, cls in enumerate(types):
        add(number, cls)
    return app


def test_the_openapi_document_of_all_structs_is_valid() -> None:
    document = app_of_all_structs().openapi()
    validate(document, cls=OpenAPIV31SpecValidator)
    schemas = document["components"]["schemas"]
    text = json.dumps(document)
    names = {name.rpartition("/")[2] for name in re.findall(r'"\$ref": "([^"]+)"', text)}
    assert names <= schemas.keys()
    assert "$defs" not in text
    assert len(schemas) > len(provider_structs())
    own = {name for name in schemas if not name.endswith("ValidationError")}
    assert [name for name in sorted(own) if not schemas[name].get("description")] == []


def test_a_struct_is_described_under_its_name_with_its_fields() -> None:
    app = FastAPI()

    @app.get("/person")
    def person() -> Person: ...

    @app.get("/page")
    def page() -> Page[Person]: ...

    schemas = app.openapi()["components"]["schemas"]
    assert schemas["Person"]["description"] == " ".join(
        (Person.__doc__ or "").partition("\n\n")[0].split()
    )
    fields = schemas["Person"]["properties"]
    assert fields["liId"]["description"].startswith("Public identifier")
    assert fields["relatedPersons"]["items"] == {"$ref": "#/components/schemas/Person"}
    assert "required" not in schemas["Person"]
    assert "Page_Person_" in schemas
    hints = get_type_hints(Person)
    assert len(fields) == len([name for name in hints if not name.startswith("__")])


def test_a_struct_of_your_own_without_a_docstring_has_no_description() -> None:
    class Mine(Person):
        nick: str | None = None

    schema = TypeAdapter(Mine).json_schema()
    assert "description" not in schema
    assert {"nick", "firstName"} <= schema["properties"].keys()


@pytest.mark.anyio
async def test_a_route_takes_and_returns_structs() -> None:
    app = FastAPI()

    @app.post("/people")
    async def take(person: Annotated[Person, Body()]) -> Person:
        assert isinstance(person, Person)
        return person

    @app.get("/snake", response_model_by_alias=False, response_model_exclude={"related_persons"})
    async def snake() -> Person:
        return PERSON

    @app.get("/progress")
    async def progress() -> bulk.Progress | None:
        return filled(bulk.Progress)

    @app.get("/maybe")
    async def maybe() -> list[Person] | None:
        return [PERSON, Person()]

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app.example") as client:
        sent, header = msgspec.json.encode(PERSON), {"content-type": "application/json"}
        assert (await client.post("/people", content=sent, headers=header)).content == sent
        wrong = await client.post("/people", json={"name": 3})
        assert wrong.status_code == 422
        (detail,) = wrong.json()["detail"]
        assert (detail["loc"], detail["ctx"]) == (["body"], {"path": "$.name"})
        assert set((await client.get("/snake")).json()) == {
            "first_name",
            "default_db_id",
            "experience",
        }
        expected = msgspec.json.encode(filled(bulk.Progress))
        assert (await client.get("/progress")).content == expected
        assert (await client.get("/maybe")).content == b"[" + sent + b",{}]"


def test_nothing_of_pydantic_is_imported_until_it_asks() -> None:
    code = (
        "import sys, lix_async.bulk, lix_async.waterfall; from lix_async import *\n"
        "extras = {'pydantic', 'pydantic_core', 'fastapi', 'opentelemetry', 'arro3', 'mcp', 'pytest'}\n"
        "print(extras & sys.modules.keys(), 'ast' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("set()")
