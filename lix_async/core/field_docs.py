"""The descriptions of a struct's fields, as its source has them below each field.

They explain the fields in editors, in an OpenAPI document and in tables. Python does not keep them,
so they are read from the source once, when they are asked for.
"""

from __future__ import annotations

from functools import cache

_Descriptions = dict[str, dict[str, str]]


def field_descriptions(cls: type) -> dict[str, str]:
    """The description of each field and property of a class on one line, by its Python name.

    Empty where the source is not installed.
    """
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        found |= _in_module(base.__module__).get(base.__qualname__, {})
        for name, member in vars(base).items():
            if isinstance(member, property) and member.__doc__ and not name.startswith("_"):
                found[name] = " ".join(member.__doc__.split())
    return found


@cache
def _in_module(name: str) -> _Descriptions:
    """The descriptions of the fields of each class of a module, by the class's name."""
    # Late, because most programs never need them.
    import ast
    import sys
    from inspect import getsource

    if name.partition(".")[0] != __name__.partition(".")[0]:
        return {}
    try:
        tree = ast.parse(getsource(sys.modules[name]))
    except (OSError, TypeError, KeyError):
        return {}
    found: _Descriptions = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for field, text in zip(node.body, node.body[1:], strict=False):
                match field, text:
                    case (
                        ast.AnnAssign(target=ast.Name(id=attribute)),
                        ast.Expr(value=ast.Constant(value=str(description))),
                    ):
                        found.setdefault(node.name, {})[attribute] = " ".join(description.split())
                    case _:
                        pass
    return found
