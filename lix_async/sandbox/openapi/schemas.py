"""JSON schemas of parameters and results."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

import msgspec

from ...core.endpoint import AnyEndpoint
from ...core.models import Params
from ..providers import SandboxProvider
from .required_params import required_params

Schema = dict[str, object]
ANY_JSON: Schema = {"type": ["object", "array"]}
"""A schema for results that have no fixed fields."""
NULL: Schema = {"type": "null"}
# Numbers may be texts, and times may be seconds or ISO 8601 (lix.md#value-quirks): clients accept
# both.
_NUMBERS: Mapping[str, Schema] = {
    "integer": {"type": ["integer", "string"], "pattern": r"^-?[0-9]+$"},
    "number": {"type": ["number", "string"], "pattern": r"^-?[0-9]+(\.[0-9]+)?$"},
}


def wire_names(params: type[Params]) -> dict[str, str]:
    """The provider's names of parameters, by attribute."""
    return dict(zip(params.__struct_fields__, params.__struct_encode_fields__, strict=True))


class JsonSchemas:
    """The schemas of one provider; shared ones are in `components`, with its name as prefix."""

    def __init__(self, provider: SandboxProvider) -> None:
        self._provider = provider
        self._prefix = re.sub(r"\W", "", provider.name)
        self.components: dict[str, Schema] = {}

    def error(self) -> Schema:
        """A reference to the schema of error bodies."""
        self.components[f"{self._prefix}.Error"] = self._provider.error_schema
        return {"$ref": f"#/components/schemas/{self._prefix}.Error"}

    def result(self, endpoint: AnyEndpoint) -> Schema:
        """The schema of a success."""
        if endpoint.id in self._provider.loose:
            return ANY_JSON
        return self._named(endpoint.result, lenient=True)

    def fields(self, endpoint: AnyEndpoint) -> dict[str, Schema]:
        """The schemas of all parameters, by the provider's name, with the rules of `check`.

        In a JSON body, null means that a parameter is not given.
        """
        params: type[Params] = endpoint.params
        rules = required_params(params)
        whole = self._named(endpoint.params, lenient=False)
        name = str(whole["$ref"]).rpartition("/")[2]
        schemas = cast("dict[str, Schema]", self.components.pop(name).get("properties", {}))
        made: dict[str, Schema] = {}
        for name, wire in wire_names(endpoint.params).items():
            made[wire] = rules.narrow(name, _without_null(schemas[wire]))
            if name in endpoint.body and not endpoint.form and NULL in _choices(schemas[wire]):
                made[wire] = {"anyOf": [made[wire], NULL]}
        return made

    def _named(self, kind: type, *, lenient: bool) -> Schema:
        template = f"#/components/schemas/{self._prefix}.{{name}}"
        (schema,), found = msgspec.json.schema_components(
            [kind], schema_hook=_anything, ref_template=template
        )
        for name, one in found.items():
            key = f"{self._prefix}.{_component_name(name)}"
            self.components[key] = cast("Schema", _convert(one, lenient))
        return cast("Schema", _convert(schema, lenient))


def _anything(kind: type) -> Schema:
    """The schema of a type with a decoder of its own, which accepts several formats."""
    return {"description": (kind.__doc__ or kind.__name__).partition("\n")[0]}


def _component_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)


def _without_null(schema: Schema) -> Schema:
    """The schema without null: a parameter that is null is left out instead."""
    cleaned = {name: value for name, value in schema.items() if name != "default"}
    if schema.get("default") not in (None, []):
        cleaned["default"] = schema["default"]
    choices = [choice for choice in _choices(schema) if choice != NULL]
    cleaned.pop("anyOf", None)
    return cleaned | choices[0] if len(choices) == 1 else cleaned | {"anyOf": choices}


def _choices(schema: Schema) -> list[Schema]:
    return cast("list[Schema]", schema["anyOf"]) if "anyOf" in schema else [{}]


def _convert(tree: object, lenient: bool) -> object:
    """A schema with valid component names; if `lenient`, numbers may be texts."""
    if isinstance(tree, list):
        return [_convert(part, lenient) for part in cast("list[object]", tree)]
    if not isinstance(tree, dict):
        return tree
    schema = cast("Schema", tree)
    kind = schema.get("type")  # a schema, if this is `properties` and one of them is named `type`
    if lenient and isinstance(kind, str) and "enum" not in schema:
        schema = schema | _NUMBERS.get(kind, {})
        if schema.get("format") == "date-time":
            schema = {"type": ["string", "integer"]}
    made = {name: _convert(part, lenient) for name, part in schema.items()}
    if isinstance(made.get("$ref"), str):
        head, _, name = str(made["$ref"]).rpartition("/")
        made["$ref"] = f"{head}/{_component_name(name)}"
    return made
