"""Parts of the reference that are made from the code.

On a page, `<!-- generate: WHAT ARGUMENTS -->` alone on a line is replaced by the Markdown that the
function of that name in `PARTS` returns. On GitHub the comment does not show.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, cast, get_type_hints

import msgspec
from sphinx.util.inspect import signature, stringify_signature
from sphinx.util.typing import stringify_annotation

import lix_async
from lix_async.cli.providers import providers as installed
from lix_async.core.endpoint import AnyEndpoint, Endpoint, Price
from lix_async.core.provider import Provider
from lix_async.core.rate_limit import RateLimit
from lix_async.engine.client import Client
from lix_async.engine.options import UNSET, Unset, auth_scheme

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_MARK = re.compile(r"^<!-- generate: (\w+)(?: (.+?))? -->$", re.MULTILINE)
_CITATION = re.compile(r"\w+\.md#[\w.-]+")


class Variable(NamedTuple):
    """An environment variable that the package reads."""

    name: str
    default: str
    meaning: str


def setup(app: Sphinx) -> None:
    """Replace the comments when a page is read."""
    app.connect("source-read", _read)


def _read(app: Sphinx, page: str, source: list[str]) -> None:
    def made(match: re.Match[str]) -> str:
        lines = PARTS[match[1]](*(match[2] or "").split())
        return "\n".join(lines).replace("{this page}", page)

    source[0] = _MARK.sub(made, source[0])


# Entries of the API.


def api(module: str, *names: str) -> Iterator[str]:
    """Entries for these names of a module; without names, for its whole `__all__`."""
    home = import_module(module)
    for name in names or sorted(home.__all__, key=lambda name: _place(home, name)):
        yield from _entry(module, name, getattr(home, name))


def errors() -> Iterator[str]:
    """The tree of exceptions, then an entry for each."""
    yield from ("```text", *_tree(lix_async.LixError, 0), "```", "")
    for kind in _family(lix_async.LixError):
        yield from _entry("lix_async", kind.__name__, kind)


def _place(home: object, name: str) -> tuple[str, str]:
    """Classes before functions, then by name."""
    kind = getattr(home, name)
    return ("0" if inspect.isclass(kind) else "1" if callable(kind) else "2"), name.lower()


def _entry(module: str, name: str, value: object) -> Iterator[str]:
    kind = "data"
    if inspect.isclass(value):
        kind = "exception" if issubclass(value, BaseException) else "class"
    elif inspect.isroutine(value):
        kind = "function"
    yield from ("```{eval-rst}", f".. auto{kind}:: {module}.{name}")
    if inspect.isclass(value) and any("lix_async" in base.__module__ for base in value.__bases__):
        yield "   :show-inheritance:"
    if inspect.isclass(value) and not issubclass(value, Client):
        yield "   :members:"
    elif inspect.isclass(value):
        # The methods of the API itself are on the page of its provider.
        members = ("send", "answer", "pages", "with_options", "credits", "clock", "aclose")
        own = [member for member in vars(value) if member in ("account_id", "rate_states")]
        yield f"   :members: {', '.join((*members, *own))}"
    yield from ("```", "")


def _family(kind: type[lix_async.LixError]) -> Iterator[type[lix_async.LixError]]:
    """The exported exceptions, each before those that derive from it."""
    if kind.__name__ in lix_async.__all__:
        yield kind
    for child in kind.__subclasses__():
        if child.__module__.startswith("lix_async.core"):
            yield from _family(child)


def _tree(kind: type[lix_async.LixError], depth: int) -> Iterator[str]:
    yield f"{'    ' * depth}{kind.__name__}"
    for child in kind.__subclasses__():
        if child.__name__ in lix_async.__all__ and child.__module__.startswith("lix_async.core"):
            yield from _tree(child, depth + 1)


# Providers.


def providers() -> Iterator[str]:
    """One row for each provider."""
    rows = [
        (
            f"[{client.provider.name}]({name}.md)",
            f"`{client.__name__}`",
            f"`{client.provider.key_variables[0]}`",
            _rate(client.provider.rate),
            str(len(_table(name))),
        )
        for name in installed()
        for client in [_client(name)]
    ]
    yield from _markdown(("provider", "client", "key", "default rate", "endpoints"), rows)


def provider(name: str) -> Iterator[str]:
    """Address, key and rate of a provider."""
    client = _client(name)
    found = client.provider
    auth = auth_scheme(found, _defaults(client).get("auth", UNSET))
    styles = ", ".join(
        f"`{style}`{' (default)' if auth == style else ''}: "
        f"{scheme.place} `{scheme.name}{': ' + scheme.prefix.strip() if scheme.prefix else ''}`"
        for style, scheme in found.credentials.items()
    )
    rows = [
        ("client", f"`{client.__name__}`"),
        ("key", " or ".join(f"`{variable}`" for variable in found.key_variables)),
        ("`auth`", styles),
        ("base URL", f"`{found.url_variable}`, else {_url(found)}"),
        ("default rate", _rate(found.rate)),
        ("pause after a 429 without `Retry-After`", f"{found.window:g} s at least"),
    ]
    yield from _markdown(("", ""), rows)


def endpoints(name: str) -> Iterator[str]:
    """The provider's table: a row for each endpoint."""
    methods = _methods_by_endpoint(name)
    rows = [
        (
            "<br>".join(
                (
                    f"[`{row.id}`](#{_anchor(row)})",
                    *(f"`{name}.{method}()`" for method in methods.get(row.id, ())),
                )
            ),
            f"{row.method} `{row.path}`",
            _price(row.credits),
            _pages(row),
            "" if row.idempotent else "no",
        )
        for row in _table(name)
    ]
    head = ("endpoint, methods", "request", "cost", "pages", "repeated")
    yield from ("```{rst-class} wide", "```", "")
    yield from _markdown(head, rows)


def parameters(name: str) -> Iterator[str]:
    """The parameters of each endpoint, as they travel."""
    for row in _table(name):
        cited = f" ({row.docs})" if _CITATION.fullmatch(row.docs) else ""
        yield from (f"({_anchor(row)})=", f"**{row.id}**{cited}", "")
        fields = msgspec.structs.fields(row.params)
        lines = [
            (
                f"`{field.encode_name}`",
                _type(field.type),
                "yes" if field.required else "",
                "" if field.required or field.default in (None, msgspec.NODEFAULT)
                else f"`{field.default!r}`",
                _where(row, field.name),
            )
            for field in fields
        ]  # fmt: skip
        if lines:
            yield from _markdown(("parameter", "type", "required", "default", "in"), lines)
        else:
            yield from ("No parameters.", "")


def methods(name: str) -> Iterator[str]:
    """The client's methods with their docstrings, a heading for each group."""
    for group, owner in _groups(name):
        if group:
            yield from (f"### {group}", "", "```{eval-rst}", _docstring(owner), "```", "")
        for method, function in _public(owner, name):
            yield from _method(".".join(filter(None, (name, group, method))), function)


def _method(name: str, function: Callable[..., object]) -> Iterator[str]:
    shown = (
        stringify_signature(signature(function, bound_method=False), unqualified_typehints=True)
        .replace("(self, ", "(")
        .replace("(self)", "()")
    )
    yield from ("```{eval-rst}", f".. py:method:: {name}{shown}")
    if inspect.iscoroutinefunction(function):
        yield "   :async:"
    yield from ("", f"   {_docstring(function)}", "```", "")


def _docstring(owner: type | Callable[..., object]) -> str:
    return f".. lix-docstring:: {owner.__module__}:{owner.__qualname__}"


def _client(name: str) -> type[Client]:
    module = import_module(f"lix_async.providers.{name}.client")
    return next(
        kind
        for kind in vars(module).values()
        if inspect.isclass(kind) and issubclass(kind, Client) and kind.__name__.startswith("Async")
    )


def _table(name: str) -> Sequence[AnyEndpoint]:
    module = import_module(f"lix_async.providers.{name}.endpoints")
    return cast("Sequence[AnyEndpoint]", module.TABLE)


def _groups(name: str) -> Iterator[tuple[str, type]]:
    """The client's groups of methods, by attribute; the client itself where it has none."""
    client = _client(name)
    for attribute, kind in get_type_hints(client).items():
        if f".{name}.resources." in getattr(kind, "__module__", "") and inspect.isclass(kind):
            yield attribute, kind
    if any(_public(client, name)):
        yield "", client


def _public(owner: type, name: str) -> Iterator[tuple[str, Callable[..., object]]]:
    """The methods that the provider's own package defines, in the order of their code."""
    found = [
        (method, function)
        for method, function in inspect.getmembers(owner, inspect.isfunction)
        if not method.startswith("_") and method != "with_options"
        if f".providers.{name}." in function.__module__
    ]
    yield from sorted(found, key=lambda one: (one[1].__module__, one[1].__code__.co_firstlineno))


def _methods_by_endpoint(name: str) -> dict[str, list[str]]:
    """Catalogue id → methods whose code names that endpoint, or that are called like it."""
    ids = {row.id for row in _table(name)}
    found: dict[str, list[str]] = {}
    for group, owner in _groups(name):
        for method, function in _public(owner, name):
            shown = f"{group}.{method}" if group else method
            # Code refers to an endpoint by its name, or by its name in the module `e`.
            names = function.__globals__ | vars(function.__globals__.get("e", object))
            for word in dict.fromkeys((*function.__code__.co_names, f"{name}.{method}")):
                row = names.get(word)
                if isinstance(row, Endpoint):
                    found.setdefault(row.id, []).append(shown)
                elif word in ids:
                    found.setdefault(word, []).append(shown)
    return {id_: list(dict.fromkeys(names)) for id_, names in found.items()}


def _anchor(row: AnyEndpoint) -> str:
    return f"endpoint-{row.id.replace('.', '-').replace('_', '-')}"


def _price(price: Price) -> str:
    if price.kind in ("free", "unknown"):
        return "free" if price.kind == "free" else "not published"
    only = f" when `{price.only}`" if price.only else ""
    return f"{price.amount} {price.kind}{only}"


def _pages(row: AnyEndpoint) -> str:
    if row.paging is None:
        return ""
    cap = f", at most {row.paging.cap:,} items" if row.paging.cap else ""
    return f"`{type(row.paging).__name__}`{cap}"


def _where(row: AnyEndpoint, field: str) -> str:
    if f"{{{field}}}" in row.path:
        return "path"
    if field in row.body:
        return "form" if row.form else "body"
    return "query"


def _rate(rate: RateLimit) -> str:
    if rate.requests == 1:
        return f"1 request in {rate.per:g} s"
    return f"{rate.requests:g} requests in {rate.per:g} s"


def _url(found: Provider) -> str:
    return f"`{found.base_url}`" if found.base_url else "none: the vendor publishes no address"


# The command line, and what is read from the environment.


def commands() -> Iterator[str]:
    """Every command with its arguments, options and defaults."""
    from lix_async.cli.app import app

    text = app.generate_docs(output_format="markdown")
    overview = text[text.index("\n**") : text.index("\n## lix ")]
    details = text[text.index("\n## lix ") :]
    yield overview
    yield details


def exit_codes() -> Iterator[str]:
    """What `lix` ends with."""
    from lix_async.cli.errors import EXIT_CODES

    yield from _markdown(("code", "meaning"), [(f"`{x}`", why) for x, why in EXIT_CODES.items()])


def environment() -> Iterator[str]:
    """Every environment variable."""
    rows = [(f"`{one.name}`", one.default, one.meaning) for one in environment_variables()]
    yield from _markdown(("variable", "default", "meaning"), rows)


def environment_variables() -> Iterator[Variable]:
    """Those of the providers, from their tables; then those of the log and the command line."""
    from lix_async.cli.ledger.address import STORE_VARIABLE
    from lix_async.ledger.suppression import VARIABLE as SUPPRESSION_VARIABLE

    seen: set[str] = set()
    for name in installed():
        client = _client(name)
        found = client.provider
        for number, variable in enumerate(found.key_variables):
            if variable not in seen:
                others = found.key_variables[number + 1 :]
                default = f"`{others[0]}`" if others else "none"
                yield Variable(variable, default, f"`api_key` of `{client.__name__}`")
            seen.add(variable)
        yield Variable(found.url_variable, _url(found), f"`base_url` of `{client.__name__}`")
    yield Variable(
        "LIX_LOG", "none", "`debug` or `info`: the log on stderr, for programs that set up none"
    )
    yield Variable(
        STORE_VARIABLE, "the personal ledger", "the ledger of all commands, where no other is given"
    )
    yield Variable(
        SUPPRESSION_VARIABLE, "the ledger's `.key` file", "the secret of its suppression list"
    )
    yield Variable(
        "XDG_DATA_HOME",
        "`~/.local/share`; on macOS `~/Library/Application Support`; unused on Windows",
        "the folder of `lix_async/ledger.db`, the personal ledger",
    )


def arguments(path: str, *others: str) -> Iterator[str]:
    """Arguments and defaults of a callable; of more than one, those that the first lacks."""
    known: set[str] = set()
    for one in (path, *others):
        module, _, name = one.rpartition(".")
        value = getattr(import_module(module), name)
        found = signature(value)
        real = _defaults(value)
        rows = [
            (
                f"`{argument.name}`",
                _type(argument.annotation),
                _default(real.get(argument.name, argument.default)),
            )
            for argument in found.parameters.values()
            if argument.kind is not argument.VAR_KEYWORD and argument.name not in known
        ]
        if one == path:
            known = set(found.parameters)
        if rows:
            if others:
                yield from (f"`{name}`" + (", further:" if one != path else ""), "")
            yield from _markdown(("argument", "type", "default"), rows)


def _defaults(value: type) -> Mapping[str, Any]:
    """Keyword defaults themselves: autodoc puts their source text into signatures."""
    return getattr(value.__init__, "__kwdefaults__", None) or {}


def _default(value: object) -> str:
    if value is inspect.Parameter.empty:
        return "required"
    if isinstance(value, Unset):
        return "the provider's"
    if isinstance(value, RateLimit):
        return _rate(value)
    if isinstance(value, msgspec.Struct):
        return f"`{type(value).__name__}()`"
    return f"`{dict(value)!r}`" if isinstance(value, Mapping) else f"`{value!r}`"


def _type(kind: object) -> str:
    if kind is inspect.Parameter.empty:
        return ""
    text = stringify_annotation(kind, mode="smart") if not isinstance(kind, str) else kind
    text = re.sub(r"~?(?:\w+\.)+(\w+)", r"\1", text)
    return f"`{text}`".replace("|", r"\|")


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


_FUNCTIONS: list[Callable[..., Iterator[str]]] = [
    *(api, errors),
    *(provider, providers, endpoints, methods, parameters),
    *(commands, exit_codes, environment, arguments),
]
PARTS = {function.__name__: function for function in _FUNCTIONS}
"""By the word after `generate:`."""
