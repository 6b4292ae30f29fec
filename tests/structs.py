"""The structs that callers receive, and values of them with every field filled."""

from __future__ import annotations

import importlib
import pkgutil
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

import msgspec
from msgspec import inspect

from lix_async import bulk, waterfall
from lix_async.core.bridge import ReadableStruct
from lix_async.core.models import Model, OpenObject
from lix_async.core.schema_drift import Drift
from lix_async.engine.cache import CacheStats
from lix_async.engine.checkpoint import PaginationStats
from lix_async.ledger.history import SubjectChange, Version
from lix_async.ledger.merge import MergeReport
from lix_async.ledger.reconciliation import Reconciliation
from lix_async.ledger.records import Export, RunEntry
from lix_async.ledger.resolution import Conflict, Resolution
from lix_async.providers.lookc.webhooks import WebhookEvent

PROVIDERS = ("lix", "lookc", "connectsafely", "letrics", "meetalfred")
OTHERS = (
    CacheStats,
    bulk.Outcome,
    bulk.Preview,
    bulk.Progress,
    bulk.Report,
    Drift,
    PaginationStats,
    WebhookEvent,
    waterfall.Email,
    waterfall.Profile,
    waterfall.Company,
)

LEDGER = (
    bulk.Entry,
    Conflict,
    Export,
    MergeReport,
    Reconciliation,
    Resolution,
    RunEntry,
    SubjectChange,
    Version,
)
"""What a ledger answers."""


@cache
def provider_structs() -> tuple[type, ...]:
    """Every struct and open object of the providers' models, in the order of the source."""
    found: dict[type, None] = {}
    for provider in PROVIDERS:
        package = importlib.import_module(f"lix_async.providers.{provider}.models")
        inside = pkgutil.iter_modules(getattr(package, "__path__", []), package.__name__ + ".")
        for module in (package, *(importlib.import_module(one.name) for one in inside)):
            for value in vars(module).values():
                if (
                    isinstance(value, type)
                    and issubclass(value, (Model, OpenObject, ReadableStruct))
                    and value.__module__.startswith(package.__name__)
                ):
                    found[value] = None
    return tuple(found)


def fields_of(cls: type) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The fields of a struct; none of an open object."""
    return msgspec.structs.fields(cls) if issubclass(cls, msgspec.Struct) else ()


def filled(kind: Any, depth: int = 2) -> Any:
    """A value of a type with every field filled, down to this depth of structs in structs."""
    origin = get_origin(kind) or kind
    if isinstance(origin, type) and issubclass(origin, OpenObject):
        return origin({"id": 7, "nested": {"name": "N"}, "list": [1, None]})
    if isinstance(origin, type) and issubclass(origin, msgspec.Struct):
        return origin(
            **{
                field.name: filled(field.type, depth - 1)
                for field in msgspec.structs.fields(kind)
                if depth or field.required
            }
        )
    if origin in (list, dict):
        arguments = get_args(kind) or (object, object)
        inner = [filled(one, depth) for one in arguments]
        return inner if origin is list else {inner[0]: inner[1]}
    if isinstance(kind, TypeVar) or kind is object:
        return {"any": [1, "x", None]}
    if isinstance(kind, type) and issubclass(kind, Exception):
        return kind("it failed")
    info = inspect.type_info(kind)
    if isinstance(info, inspect.UnionType):
        return next(
            filled(one, depth)
            for one in get_args(kind)
            if (one is not type(None) and get_origin(one) is None) or get_args(one)
        )
    if isinstance(info, inspect.LiteralType):
        return info.values[0]
    values: dict[type[inspect.Type], object] = {
        inspect.StrType: "Zoë <b>",
        inspect.IntType: 12,
        inspect.FloatType: 0.5,
        inspect.BoolType: True,
        inspect.BytesType: b"\x00\xff",
        inspect.DateTimeType: datetime(2024, 1, 15, 8, 30, 0, 120000, UTC),
    }
    return values[type(info)]
