"""JSON schemas of what goes out and of what comes back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import msgspec

from ...core.endpoint import AnyEndpoint
from .required_params import required_params

if TYPE_CHECKING:
    from ...core.models import Params
    from ..providers import SandboxProvider

Schema = dict[str, object]
FREE: Schema = {"type": ["object", "array"]}
"""Where nothing more can be said."""
NULL: Schema = {"type": "null"}
# Numbers travel as numbers or as digits in a text, and moments as seconds or as ISO 8601: clients
# read both.
_NUMBERS: Mapping[str, Schema] = {
    "integer": {"type": ["integer", "string"], "pattern": r"^-?[0-9]+$"},
    "number": {"type": ["number", "string"], "pattern": r"^-?[0-9]+(\.[0-9]+)?$"},
}


class JsonSchemas:
    """The schemas of one house; what they share stands in `components` under the house's name."""

    def __init__(self, house: SandboxProvider) -> None:
        self._house = house
        self._prefix = re.sub(r"\W", "", house.name)
        self.components: dict[str, Schema] = {}

    def error(self) -> Schema:
        """A reference to the body of a refusal."""
        self.components[f"{self._prefix}.Error"] = dict(self._house.error)
        return {"$ref": f"#/components/schemas/{self._prefix}.Error"}

    def result(self, row: AnyEndpoint) -> Schema:
        """What a success of a row looks like."""
        if row.id in self._house.loose:
            return FREE
        return self._named(row.result, lenient=True)

    def fields(self, row: AnyEndpoint) -> dict[str, Schema]:
        """The schema of every param of a row, by wire name, with what `check` demands.

        In a JSON body, null stands for a param that is not given.
        """
        params: type[Params] = row.params
        wanted = required_params(params)
        whole = self._named(params, lenient=False)
        name = str(whole["$ref"]).rpartition("/")[2]
        schemas = cast("dict[str, Schema]", self.components.pop(name).get("properties", {}))
        names = zip(params.__struct_fields__, params.__struct_encode_fields__, strict=True)
        made: dict[str, Schema] = {}
        for name, wire in names:
            made[wire] = wanted.narrow(name, _given(schemas[wire]))
            if name in row.body and not row.form and NULL in _choices(schemas[wire]):
                made[wire] = {"anyOf": [made[wire], NULL]}
        return made

    def _named(self, kind: type, *, lenient: bool) -> Schema:
        template = f"#/components/schemas/{self._prefix}.{{name}}"
        (schema,), found = msgspec.json.schema_components(
            [kind], schema_hook=_anything, ref_template=template
        )
        for name, one in found.items():
            key = f"{self._prefix}.{_plain(name)}"
            self.components[key] = cast("Schema", _walk(one, lenient))
        return cast("Schema", _walk(schema, lenient))


def _anything(kind: type) -> Schema:
    """A type that msgspec does not know: one with a reader of its own, which takes many shapes."""
    return {"description": (kind.__doc__ or kind.__name__).partition("\n")[0]}


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)


def _given(schema: Schema) -> Schema:
    """The schema of a value that is given: a param that is null is left out instead."""
    kept = {name: value for name, value in schema.items() if name != "default"}
    if schema.get("default") not in (None, []):
        kept["default"] = schema["default"]
    choices = [choice for choice in _choices(schema) if choice != NULL]
    kept.pop("anyOf", None)
    return kept | choices[0] if len(choices) == 1 else kept | {"anyOf": choices}


def _choices(schema: Schema) -> list[Schema]:
    return cast("list[Schema]", schema["anyOf"]) if "anyOf" in schema else [{}]


def _walk(tree: object, lenient: bool) -> object:
    """A schema with references to plain names, and (lenient) numbers that may be texts."""
    if isinstance(tree, list):
        return [_walk(part, lenient) for part in cast("list[object]", tree)]
    if not isinstance(tree, dict):
        return tree
    schema = cast("Schema", tree)
    kind = schema.get("type")  # a schema, where this is the properties and one is named so
    if lenient and isinstance(kind, str) and "enum" not in schema:
        schema = schema | _NUMBERS.get(kind, {})
        if schema.get("format") == "date-time":
            schema = {"type": ["string", "integer"]}
    made = {name: _walk(part, lenient) for name, part in schema.items()}
    if isinstance(made.get("$ref"), str):
        head, _, name = str(made["$ref"]).rpartition("/")
        made["$ref"] = f"{head}/{_plain(name)}"
    return made
