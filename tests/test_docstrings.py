"""Docstrings of public names: present, in Google style, and true where a test can tell.

Sections come in this order: `Args`, `Returns` or `Yields`, `Raises`, `Credits`, `Contract`,
`Example`. `Credits` states what a paid method costs; `Contract` cites the page of
`docs/contract/` that it rests on, in the form `lix.md#person.get`.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from source_tree import (
    Function,
    SourceFile,
    base_classes,
    classes,
    files_by_module,
    find_class,
    package_files,
    report,
)

from lix_async.core.endpoint import Endpoint

SECTIONS = {
    "Attributes": 0,
    "Args": 1,
    "Returns": 2,
    "Yields": 2,
    "Raises": 3,
    "Credits": 4,
    "Contract": 5,
    "Example": 6,
    "Examples": 6,
    "Note": 7,
}
"""The sections by their place in a docstring."""
NOT_GOOGLE = {"Arguments", "Parameters", "Params", "Return", "Raise", "Yield", "Throws", "Cost"}
CITATION = re.compile(r"(?:lix|lookc|connectsafely|letrics|meetalfred)\.md#[\w.-]*\w")
ROLE = re.compile(r":(?:py:)?(?:meth|class|func|mod|attr|exc|data|ref|obj):`")
ENTRY = re.compile(r" {4}(\*{0,2}[A-Za-z_][\w.]*)(?: \([^)]*\))?:(?:\s|$)")
CLIENT_MODULES = ("client", "resources")
PAID = {"standard", "org", "email"}

Documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Docstring:
    """A parsed docstring. `sections` has the lines of each, with their offsets from the first."""

    summary: str
    sections: dict[str, list[tuple[int, str]]]
    order: tuple[str, ...]
    wrong: tuple[str, ...]

    def text(self, section: str) -> str:
        """A section as one text."""
        return "\n".join(line for _, line in self.sections.get(section, []))

    def entries(self, section: str) -> Iterator[tuple[int, str]]:
        """The names that a section explains, `name: …` at its indentation."""
        for offset, line in self.sections.get(section, []):
            if line.startswith("    ") and not line.startswith("     "):
                match = ENTRY.match(line)
                yield offset, match.group(1) if match else ""


def parse(text: str) -> Docstring:
    """The sections of a Google-style docstring."""
    lines = inspect.cleandoc(text).splitlines()
    sections: dict[str, list[tuple[int, str]]] = {}
    order, wrong, current = [], [], ""
    for offset, line in enumerate(lines):
        header = re.fullmatch(r"([A-Z][a-z]+):", line)
        if header and header.group(1) in SECTIONS:
            current = header.group(1)
            order.append(current)
            sections[current] = []
        elif header and header.group(1) in NOT_GOOGLE:
            wrong.append(header.group(1))
        elif line and not line.startswith(" "):
            current = ""
        elif current:
            sections[current].append((offset, line))
    return Docstring(lines[0] if lines else "", sections, tuple(order), tuple(wrong))


def is_public(name: str) -> bool:
    return not name.startswith("_")


@cache
def documented(file: SourceFile) -> tuple[tuple[Documented, Docstring], ...]:
    """Classes and functions with a docstring."""
    found = []
    for node in file.nodes:
        if isinstance(node, Documented) and (text := ast.get_docstring(node, clean=False)):
            found.append((node, parse(text)))
    return tuple(found)


def decorators(node: Documented) -> set[str]:
    """The last parts of the names of its decorators."""
    calls = (one.func if isinstance(one, ast.Call) else one for one in node.decorator_list)
    return {ast.unparse(one).rpartition(".")[2] for one in calls}


# Present


@cache
def exported() -> frozenset[tuple[str, str]]:
    """What the `__all__` of a package names: pairs of module and name."""
    names = set()
    for file in package_files():
        for node in file.tree.body:
            if file.parts[-1] != "__init__" or not isinstance(node, ast.Assign):
                continue
            if ast.unparse(node.targets[0]) == "__all__":
                names |= {(file.module, name) for name in ast.literal_eval(node.value)}
    return frozenset(names)


@cache
def public_classes() -> frozenset[tuple[SourceFile, ast.ClassDef]]:
    """The classes that callers meet: exported ones, what they inherit, and the providers' own."""
    found = set()
    for module, name in exported():
        if home := find_class(files_by_module()[module], name):
            found |= {home, *base_classes(*home)}
    for file in package_files():
        if file.parts[0] == "providers" and len(file.parts) > 2:
            found |= {(file, node) for node in classes(file) if is_public(node.name)}
    return frozenset(found)


def _methods(node: ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for inner in node.body:
        hidden = {"overload", "setter", "deleter"}
        if isinstance(inner, Function) and is_public(inner.name) and not decorators(inner) & hidden:
            yield inner


@cache
def protocols() -> tuple[dict[str, bool], ...]:
    """The methods of each protocol of several, and whether they have a docstring."""
    found = []
    for file in package_files():
        for node in classes(file):
            if any(ast.unparse(base).startswith("Protocol") for base in node.bases):
                methods = {one.name: bool(ast.get_docstring(one)) for one in _methods(node)}
                if len(methods) > 1:
                    found.append(methods)
    return tuple(found)


def test_every_public_name_has_a_docstring() -> None:
    """Modules, classes and functions everywhere; methods of the classes that callers meet.

    A method may leave it to the one that it overrides, or to the protocol that its class fulfils.
    """
    violations = []
    for file in package_files():
        if not ast.get_docstring(file.tree) and file.parts != ("__main__",):
            violations.append(file.at(1, "the module has no docstring"))
        for node in file.tree.body:
            if not isinstance(node, Documented) or "overload" in decorators(node):
                continue
            if is_public(node.name) and not ast.get_docstring(node):
                violations.append(file.at(node, f"{node.name} has no docstring"))
    for file, node in public_classes():
        own = {method.name for method in _methods(node)}
        promised = [names for names in protocols() if names.keys() <= own]
        inherited = {
            method.name
            for _, base in base_classes(file, node)
            for method in _methods(base)
            if ast.get_docstring(method)
        }
        inherited |= {name for names in promised for name, has_text in names.items() if has_text}
        for method in _methods(node):
            if not ast.get_docstring(method) and method.name not in inherited:
                violations.append(file.at(method, f"{node.name}.{method.name} has no docstring"))
    report(violations)


# In Google style


def test_sections_are_those_of_the_style_and_in_its_order() -> None:
    violations = []
    for file in package_files():
        for node, docstring in documented(file):
            ranks = [SECTIONS[name] for name in docstring.order]
            if ranks != sorted(ranks) or len(set(docstring.order)) != len(docstring.order):
                order = ", ".join(docstring.order)
                violations.append(file.at(node, f"{node.name}: sections in the order {order}"))
            for name in docstring.wrong:
                violations.append(file.at(node, f"{node.name}: {name} is not a section's name"))
            for name in docstring.order:
                if not docstring.text(name).strip():
                    violations.append(file.at(node, f"{node.name}: the section {name} is empty"))
        for constant in file.docstrings.values():
            if ROLE.search(str(constant.value)):
                violations.append(file.at(constant, "a role such as :meth: is not used here"))
    report(violations)


# True: Args


Parameters = tuple[set[str], set[str]]
"""The names that have to be explained, and those that may be."""


def _signature(file: SourceFile, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Parameters:
    arguments = node.args
    plain = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    required = {one.arg for one in plain if is_public(one.arg) and one.arg not in ("self", "cls")}
    optional = {one.arg for one in plain} - required - {"self", "cls"}
    if arguments.vararg:
        required.add("*" + arguments.vararg.arg)
    if arguments.kwarg:
        options = arguments.kwarg
        name = re.search(r"Unpack\[(\w+)\]", ast.unparse(options.annotation or ast.Constant("")))
        keys = _fields(*home) if name and (home := find_class(file, name.group(1))) else set()
        optional |= keys
        (optional if keys else required).add("**" + options.arg)
    return required, optional


def _fields(file: SourceFile, node: ast.ClassDef) -> set[str]:
    """The annotated fields of a class and of what it inherits."""
    found = set()
    for _, one in ((file, node), *base_classes(file, node)):
        for inner in one.body:
            if not isinstance(inner, ast.AnnAssign) or not isinstance(inner.target, ast.Name):
                continue
            if "ClassVar" not in ast.unparse(inner.annotation):
                found.add(inner.target.id)
    return found


def _constructor(file: SourceFile, node: ast.ClassDef) -> Parameters | None:
    for home, one in ((file, node), *base_classes(file, node)):
        for inner in one.body:
            if isinstance(inner, Function) and inner.name == "__init__":
                return _signature(home, inner)
    fields = _fields(file, node)
    return ({name for name in fields if is_public(name)}, fields) if fields else None


def test_args_name_the_parameters_and_all_of_them() -> None:
    violations = []
    for file in package_files():
        for node, docstring in documented(file):
            if "Args" not in docstring.sections:
                continue
            if isinstance(node, ast.ClassDef):
                found = _constructor(file, node)
            else:
                found = _signature(file, node)
            if found is None:
                continue
            required, optional = found
            bare = {name.lstrip("*"): name for name in required | optional}
            explained = set()
            for offset, name in docstring.entries("Args"):
                line = node.body[0].lineno + offset
                if name.lstrip("*") not in bare:
                    what = f"{node.name}: Args names {name!r}" if name else f"{node.name}: Args"
                    reason = "which is no parameter" if name else "has a line that is no `name: …`"
                    violations.append(file.at(line, f"{what} {reason}"))
                explained.add(name.lstrip("*"))
            for name in sorted({one.lstrip("*") for one in required} - explained):
                violations.append(file.at(node, f"{node.name}: Args leaves out {name}"))
    report(violations)


# True: Raises


@cache
def exceptions() -> frozenset[str]:
    """The names of all exception classes: the interpreter's and the package's."""
    found = {
        name
        for name, value in vars(builtins).items()
        if isinstance(value, type) and issubclass(value, BaseException)
    }
    pending = [(node.name, node) for file in package_files() for node in classes(file)]
    grew = True
    while grew:
        more = {
            name
            for name, node in pending
            if {ast.unparse(base).rpartition(".")[2] for base in node.bases} & found
        } - found
        found |= more
        grew = bool(more)
    return frozenset(found)


def _is_exception(name: str) -> bool:
    module, _, last = name.rpartition(".")
    if not module:
        return name in exceptions()
    try:
        value = getattr(importlib.import_module(module), last, None)
    except ImportError:
        return False
    return isinstance(value, type) and issubclass(value, BaseException)


def test_raises_names_exceptions() -> None:
    violations = []
    for file in package_files():
        for node, docstring in documented(file):
            for offset, name in docstring.entries("Raises"):
                if not _is_exception(name):
                    what = f"{node.name}: Raises names {name!r}, which is no exception"
                    violations.append(file.at(node.body[0].lineno + offset, what))
    report(violations)


# True: Credits and Contract


@cache
def endpoints(provider: str) -> dict[str, Endpoint[Any, Any]]:
    """A provider's endpoints, by the names of their constants and by their methods' names."""
    found = {}
    for module in files_by_module():
        if module.startswith(f"lix_async.providers.{provider}.endpoints"):
            for name, value in vars(importlib.import_module(module)).items():
                if isinstance(value, Endpoint):
                    found[name] = value
                    found["." + value.id.removeprefix(f"{provider}.")] = value
    return found


@dataclass(frozen=True)
class EndpointMethod:
    """A public method of a client, with the endpoints that it calls itself and through others."""

    file: SourceFile
    node: ast.FunctionDef | ast.AsyncFunctionDef
    owner: str
    direct: frozenset[str]
    all: frozenset[str]
    provider: str


def _mentions(node: ast.AST, provider: str) -> tuple[set[str], set[str]]:
    """The endpoints that a function names, and the functions and own methods that it calls."""
    known = endpoints(provider)
    named, called = set(), set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            if inner.id in known:
                named.add(known[inner.id].id)
            called.add(inner.id)
        elif isinstance(inner, ast.Attribute):
            if inner.attr in known:
                named.add(known[inner.attr].id)
            elif isinstance(inner.value, ast.Name) and inner.value.id == "self":
                called.add(inner.attr)
            name = "." + inner.attr  # of a table of the client's own, such as self._endpoints
            if name in known and re.fullmatch(r"self\._\w+", ast.unparse(inner.value)):
                named.add(known[name].id)
    return named, called


@cache
def endpoint_methods() -> tuple[EndpointMethod, ...]:
    """Every public method of a client that calls an endpoint of the provider's table."""
    found = []
    providers = {file.parts[1] for file in package_files() if file.parts[0] == "providers"}
    for provider in sorted(providers - {"__init__"}):
        files = [
            file
            for file in package_files()
            if file.parts[:2] == ("providers", provider) and "endpoints" not in file.parts
        ]
        functions = {
            node.name: _mentions(node, provider)
            for file in files
            for node in file.tree.body
            if isinstance(node, Function)
        }
        for file in files:
            if not set(file.parts[2:3]) & set(CLIENT_MODULES):
                continue
            for owner in classes(file):
                methods = {
                    node.name: _mentions(node, provider)
                    for node in owner.body
                    if isinstance(node, Function)
                }
                for node in _methods(owner):
                    reached = _reached(node.name, methods, functions)
                    direct = frozenset(methods[node.name][0])
                    if reached:
                        found.append(
                            EndpointMethod(file, node, owner.name, direct, reached, provider)
                        )
    return tuple(found)


Mentions = dict[str, tuple[set[str], set[str]]]


def _reached(name: str, methods: Mentions, functions: Mentions) -> frozenset[str]:
    found, done, queue = set(), {name}, [methods[name]]
    for named, called in queue:
        found |= named
        for other in called - done:
            done.add(other)
            if step := methods.get(other) or functions.get(other):
                queue.append(step)
    return frozenset(found)


def _endpoint(provider: str, id_: str) -> Endpoint[Any, Any]:
    return next(one for one in endpoints(provider).values() if one.id == id_)


def test_every_endpoint_has_a_method() -> None:
    """The tests below see all of them, so that none passes for want of methods."""
    reached = {id_ for method in endpoint_methods() for id_ in method.all}
    tables = {
        one.id
        for provider in {method.provider for method in endpoint_methods()}
        for one in endpoints(provider).values()
    }
    assert len(tables) > 60
    missing = sorted(tables - reached)
    variants = [id_ for id_ in missing if id_.rpartition(".")[0] in tables]  # chosen by a setting
    assert missing == variants


def test_methods_of_endpoints_cite_the_contract_of_their_endpoint() -> None:
    violations = []
    for method in endpoint_methods():
        docstring = parse(ast.get_docstring(method.node, clean=False) or "")
        cited = set(CITATION.findall(docstring.text("Contract")))
        name = f"{method.owner}.{method.node.name}"
        if "Contract" not in docstring.sections:
            violations.append(method.file.at(method.node, f"{name} has no section Contract"))
            continue
        expected = {
            id_: _endpoint(method.provider, id_).docs for id_ in method.direct or method.all
        }
        if method.direct:
            missing = {docs for docs in expected.values() if docs not in cited}
        else:
            missing = set() if cited & set(expected.values()) else set(expected.values())
        for docs in missing:
            what = f"{name}: Contract does not cite {docs}"
            violations.append(method.file.at(method.node, what))
    report(violations)


def test_methods_that_cost_credits_say_so() -> None:
    violations = []
    for method in endpoint_methods():
        prices = [_endpoint(method.provider, id_).credits for id_ in method.direct or method.all]
        docstring = parse(ast.get_docstring(method.node, clean=False) or "")
        if any(price.kind in PAID for price in prices) and "Credits" not in docstring.sections:
            name = f"{method.owner}.{method.node.name}"
            violations.append(method.file.at(method.node, f"{name} has no section Credits"))
    report(violations)


# The reader of docstrings itself


def test_a_docstring_is_read_by_its_sections() -> None:
    docstring = parse(
        """Look up one person.

        Some prose: not a section.

        Args:
            profile_link: Where the profile is,
                on two lines: still the same parameter.
            **options (str): The rest.

        Raises:
            NotFoundError: There is none.

        Contract:
            lix.md#person.get
        """
    )
    assert docstring.order == ("Args", "Raises", "Contract")
    assert [name for _, name in docstring.entries("Args")] == ["profile_link", "**options"]
    assert [name for _, name in docstring.entries("Raises")] == ["NotFoundError"]
    assert CITATION.findall(docstring.text("Contract")) == ["lix.md#person.get"]
