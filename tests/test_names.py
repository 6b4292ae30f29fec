"""One name, one meaning: no two classes or type aliases of the package share a name.

Exempt are the structs of `providers/*/models` and `providers/*/params`, which carry the
providers' own nouns; inside one provider these are unique as well.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from source_tree import SourceFile, Violation, classes, package_files, report, type_aliases

Place = tuple[SourceFile, ast.AST, str]
"""Where a name is defined, and as what."""


def definitions(files: Iterable[SourceFile]) -> dict[str, list[Place]]:
    """The classes and type aliases of these files by their names."""
    found: dict[str, list[Place]] = defaultdict(list)
    for file in files:
        for node in classes(file):
            found[node.name].append((file, node, "class"))
        for name, alias in type_aliases(file):
            found[name].append((file, alias, "type alias"))
    return found


def shared(names: Mapping[str, list[Place]]) -> list[Violation]:
    """A violation for each definition of a name that has several."""
    violations = []
    for name, places in names.items():
        for file, node, kind in places:
            others = [f"{one}:{getattr(at, 'lineno', 0)}" for one, at, _ in places if at != node]
            if others:
                what = f"{kind} {name} is also defined in {', '.join(others)}"
                violations.append(file.at(node, what))
    return violations


def test_no_two_classes_or_aliases_share_a_name() -> None:
    files = [file for file in package_files() if not file.is_vendor_vocabulary]
    report(shared(definitions(files)))


def test_inside_a_provider_every_name_is_unique() -> None:
    providers: dict[str, list[SourceFile]] = defaultdict(list)
    for file in package_files():
        if file.parts[0] == "providers" and len(file.parts) > 2:
            providers[file.parts[1]].append(file)
    report(one for files in providers.values() for one in shared(definitions(files)))


def test_a_class_has_the_name_of_a_thing() -> None:
    violations = [
        file.at(node, f"class {node.name} is not named in CapWords")
        for file in package_files()
        for node in classes(file)
        if not re.fullmatch(r"_?([A-Z][a-z0-9]*)+", node.name)
    ]
    report(violations)
