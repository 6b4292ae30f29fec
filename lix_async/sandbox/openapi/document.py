"""The OpenAPI document: paths, security and responses."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from ...core.endpoint import AnyEndpoint
from ...core.models import Params
from ..protocol.parsing import FORM
from ..protocol.responses import JSON
from ..providers import SandboxProvider
from ..world.world import World
from .required_params import required_params
from .schemas import ANY_JSON, JsonSchemas, Schema, wire_names

STATUSES = {
    400: "A parameter is missing or wrong.",
    401: "The API key is missing or not valid.",
    402: "No credits are left.",
    403: "The API key has no permission.",
    404: "The record does not exist.",
    407: "The viewer_id is not attached.",
    429: "A rate limit, or a daily or weekly limit is exceeded.",
    500: "The server failed.",
    502: "A server in between failed.",
    503: "Temporarily unavailable.",
}
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def document(
    providers: Sequence[SandboxProvider], world: World, closed: Collection[str] = ()
) -> dict[str, object]:
    """The OpenAPI 3.1 document of all endpoints.

    A path and method that two endpoints share is described once, by the endpoint whose main path
    it is.

    Args:
        providers: The simulated providers.
        world: The world that the examples are taken from.
        closed: Paths to leave out.
    """
    paths: dict[str, dict[str, object]] = {}
    schemas: dict[str, Schema] = {}
    security: dict[str, Schema] = {}
    for provider in providers:
        json_schemas = JsonSchemas(provider)
        builder = _DocumentBuilder(provider, json_schemas, provider.examples(world))
        main = [(endpoint, endpoint.path, "") for endpoint in provider.endpoints]
        alternates = [
            (endpoint, endpoint.alternate, ".alternate")
            for endpoint in provider.endpoints
            if endpoint.alternate
        ]
        for endpoint, path, suffix in [*main, *alternates]:
            if path not in closed:
                methods = paths.setdefault(provider.full_path(endpoint, path), {})
                operation = builder.operation(endpoint, path, suffix)
                methods.setdefault(endpoint.method.lower(), operation)
        schemas |= json_schemas.components
        security |= builder.schemes()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "lix_async sandbox",
            "version": "1",
            "description": "The providers' APIs, simulated locally. All people are fictitious.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": security},
    }


class _DocumentBuilder:
    """Builds the operations of one provider."""

    def __init__(
        self,
        provider: SandboxProvider,
        schemas: JsonSchemas,
        examples: Mapping[str, Mapping[str, object]],
    ) -> None:
        self._provider = provider
        self._schemas = schemas
        self._examples = examples
        self._prefix = re.sub(r"\W", "", provider.name)

    def schemes(self) -> dict[str, Schema]:
        """The security schemes: the places where an API key is accepted."""
        made: dict[str, Schema] = {}
        for name, scheme in self._provider.auth_schemes.items():
            plain: Schema = {"type": "apiKey", "in": scheme.place, "name": scheme.name}
            bearer: Schema = {"type": "http", "scheme": "bearer"}
            made[f"{self._prefix}.{name}"] = bearer if scheme.prefix.strip() == "Bearer" else plain
        return made

    def operation(self, endpoint: AnyEndpoint, path: str, suffix: str) -> Schema:
        """The operation of one path and method."""
        params: type[Params] = endpoint.params
        rules, fields = required_params(params), self._schemas.fields(endpoint)
        example = self._examples.get(endpoint.id, {})
        wire = wire_names(endpoint.params)
        needed = {wire[name] for name in rules.required}
        in_path = {
            name: self._provider.param_names.get(name, name) for name in _PLACEHOLDER.findall(path)
        }
        text: Schema = {"type": "string", "minLength": 1}
        parameters = [
            _parameter(name, "path", fields.get(name, text), True, example.get(param))
            for name, param in in_path.items()
        ]
        body = {wire[name] for name in endpoint.body}
        parameters += [
            _parameter(name, "query", schema, name in needed, example.get(name))
            for name, schema in fields.items()
            if name not in body and name not in in_path.values()
        ]
        operation: Schema = {
            "operationId": endpoint.id + suffix,
            "tags": [self._provider.name],
            "summary": _summary(endpoint),
            "parameters": parameters,
            "responses": self._responses(endpoint),
            "security": [{name: []} for name in self.schemes()],
        }
        for group in rules.groups:
            operation["description"] = f"Exactly one of {', '.join(group)} must be given."
        if body:
            content = _body(fields, body, needed, rules.groups)
            given = {name: value for name, value in example.items() if name in body}
            media: Schema = {"schema": content}
            if given:
                media["example"] = given
            operation["requestBody"] = {
                "required": bool(body & needed or rules.groups),
                "content": {FORM if endpoint.form else JSON: media},
            }
        return operation

    def _responses(self, endpoint: AnyEndpoint) -> Schema:
        good: Schema = {
            "description": "Success.",
            "content": {JSON: _content(self._good(endpoint))},
        }
        made: Schema = {"200": good}
        if endpoint.id in self._provider.background:
            later: Schema = {
                "description": "The lookup continues in the background.",
                "content": {JSON: _content(ANY_JSON)},
            }
            made["202"] = later
        for status in self._provider.statuses:
            if self._applies(status, endpoint):
                error = {JSON: _content(self._schemas.error())}
                made[str(status)] = {"description": STATUSES[status], "content": error}
        return made

    def _good(self, endpoint: AnyEndpoint) -> Schema:
        return (
            ANY_JSON if endpoint.id in self._provider.background else self._schemas.result(endpoint)
        )

    def _applies(self, status: int, endpoint: AnyEndpoint) -> bool:
        if status == 407:
            return "viewer_id" in endpoint.params.__struct_fields__
        if status == 402:
            return endpoint.credits.amount > 0 or self._provider.needs_credit(endpoint.id)
        return True


def _content(schema: Schema) -> Schema:
    return {"schema": schema}


def _parameter(name: str, place: str, schema: Schema, required: bool, example: object) -> Schema:
    made: Schema = {"name": name, "in": place, "required": required, "schema": schema}
    if schema.get("type") == "array":
        made |= {"style": "form", "explode": False}
    return made if example is None else made | {"example": example}


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
        # Not oneOf: an empty text or null beside the other parameter counts as not given.
        schema["anyOf"] = [{"required": [name]} for name in group]
    return schema


def _summary(endpoint: AnyEndpoint) -> str:
    price = endpoint.credits
    cost = f"{price.amount} {price.kind}" if price.amount else price.kind
    return f"{endpoint.id} (contract: {endpoint.docs}; credits: {cost})"
