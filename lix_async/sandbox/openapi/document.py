"""The document itself: paths, security, and the answers of every operation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...core.endpoint import AnyEndpoint
from .required_params import required_params
from .schemas import FREE, JsonSchemas, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...core.models import Params
    from ..providers import SandboxProvider
    from ..server.sandbox import Sandbox

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
STATUSES = {
    400: "The request's data are wrong.",
    401: "The key is missing or not known.",
    402: "Credits or quota are used up.",
    403: "The key may not do this.",
    404: "No such record.",
    407: "The viewer_id is not attached.",
    413: "The body is too large.",
    422: "The request's data are wrong.",
    429: "Too fast, or a daily or weekly limit is used up.",
    500: "The server failed.",
    502: "Something in between failed.",
    503: "Not available for now.",
}
_SLOT = re.compile(r"\{(\w+)\}")


def document(sandbox: Sandbox) -> dict[str, object]:
    """The OpenAPI 3.1 document of a sandbox: every path that it has, as it answers it.

    A path that two rows share by the same method is described once, by the row whose own it is.
    """
    paths: dict[str, dict[str, object]] = {}
    schemas: dict[str, Schema] = {}
    security: dict[str, Schema] = {}
    for house in sandbox.houses:
        shapes = JsonSchemas(house)
        maker = _DocumentBuilder(house, shapes, house.examples(sandbox.world))
        own = [(row, row.path, "") for row in house.table]
        others = [(row, row.alternate, ".alternate") for row in house.table if row.alternate]
        for row, path, suffix in [*own, *others]:
            if path not in sandbox.closed:
                place = paths.setdefault(house.place(row, path), {})
                place.setdefault(row.method.lower(), maker.operation(row, path, suffix))
        schemas |= shapes.components
        security |= maker.schemes()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "lix_async sandbox",
            "version": "1",
            "description": "The providers' APIs played on this machine. Nobody in here is real.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": security},
    }


class _DocumentBuilder:
    """Makes the operations of one house."""

    def __init__(
        self,
        house: SandboxProvider,
        shapes: JsonSchemas,
        examples: Mapping[str, Mapping[str, object]],
    ) -> None:
        self._house = house
        self._shapes = shapes
        self._examples = examples
        self._prefix = re.sub(r"\W", "", house.name)

    def schemes(self) -> dict[str, Schema]:
        """Every place where a key may be given."""
        made: dict[str, Schema] = {}
        for name, way in self._house.provider.credentials.items():
            plain: Schema = {"type": "apiKey", "in": way.place, "name": way.name}
            bearer: Schema = {"type": "http", "scheme": "bearer"}
            made[f"{self._prefix}.{name}"] = bearer if way.prefix.strip() == "Bearer" else plain
        return made

    def operation(self, row: AnyEndpoint, path: str, suffix: str) -> Schema:
        """What can be asked of one path by one method."""
        params: type[Params] = row.params
        wanted, fields = required_params(params), self._shapes.fields(row)
        example = self._examples.get(row.id, {})
        wire = dict(zip(params.__struct_fields__, params.__struct_encode_fields__, strict=True))
        needed = {wire[name] for name in wanted.required}
        slots = _SLOT.findall(path)
        renamed = {self._house.renamed.get(slot, slot) for slot in slots}
        parameters: list[Schema] = [
            _parameter(slot, "path", fields.get(slot, {"type": "string", "minLength": 1}), True)
            for slot in slots
        ]
        body = {wire[name] for name in row.body}
        parameters += [
            _parameter(name, "query", schema, name in needed)
            for name, schema in fields.items()
            if name not in body and name not in renamed
        ]
        for parameter in parameters:
            name = str(parameter["name"])
            name = self._house.renamed.get(name, name) if parameter["in"] == "path" else name
            if name in example:
                parameter["example"] = example[name]
        operation: Schema = {
            "operationId": row.id + suffix,
            "tags": [self._house.name],
            "summary": _summary(row),
            "parameters": parameters,
            "responses": self._responses(row),
            "security": [{name: []} for name in self.schemes()],
        }
        for group in wanted.groups:
            operation["description"] = f"Exactly one of {', '.join(group)} must be given."
        if body:
            content = _body(fields, body, needed, wanted.groups)
            given = {name: value for name, value in example.items() if name in body}
            media: Schema = {"schema": content}
            if given:
                media["example"] = given
            operation["requestBody"] = {
                "required": bool(body & needed or wanted.groups),
                "content": {FORM if row.form else JSON: media},
            }
        return operation

    def _responses(self, row: AnyEndpoint) -> Schema:
        good: Schema = {"description": "Success.", "content": {JSON: _content(self._good(row))}}
        made: Schema = {"200": good}
        if row.id in self._house.background:
            later: Schema = {"description": "It goes on.", "content": {JSON: _content(FREE)}}
            made["202"] = later
        for status in self._house.statuses:
            if self._applies(status, row):
                error = {JSON: _content(self._shapes.error())}
                made[str(status)] = {"description": STATUSES[status], "content": error}
        return made

    def _good(self, row: AnyEndpoint) -> Schema:
        return FREE if row.id in self._house.background else self._shapes.result(row)

    def _applies(self, status: int, row: AnyEndpoint) -> bool:
        if status == 407:
            return "viewer_id" in row.params.__struct_fields__
        if status == 402:
            return row.credits.amount > 0 or self._house.needs_credit(row.id)
        return True


def _content(schema: Schema) -> Schema:
    return {"schema": schema}


def _parameter(name: str, place: str, schema: Schema, required: bool) -> Schema:
    made: Schema = {"name": name, "in": place, "required": required, "schema": schema}
    if schema.get("type") == "array":
        made |= {"style": "form", "explode": False}
    return made


def _body(
    fields: dict[str, Schema], body: set[str], needed: set[str], groups: list[tuple[str, ...]]
) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {name: one for name, one in fields.items() if name in body},
    }
    if required := sorted(body & needed):
        schema["required"] = required
    for group in groups:
        # Not oneOf: an empty text or null beside the other one counts as not given.
        schema["anyOf"] = [{"required": [name]} for name in group]
    return schema


def _summary(row: AnyEndpoint) -> str:
    price = row.credits
    cost = f"{price.amount} {price.kind}" if price.amount else price.kind
    return f"{row.id} (contract: {row.docs}; credits: {cost})"
