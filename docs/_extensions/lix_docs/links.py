"""Links that are made from the text: names in backticks, and citations of the contract.

`` `Pages` `` links to the entry of that class, `` `lix.people.get` `` to that method, and
`lix.md#person.get` to that anchor of `docs/contract/lix.md`. A name that no page documents stays
plain code, as do all names on the pages of the contract, whose words are the vendors'. A citation
that does not resolve is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.logging import getLogger

from lix_async.cli.providers import providers

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_log = getLogger(__name__)
CITATION = re.compile(rf"\b({'|'.join(providers())})\.md#([\w.-]*\w)")
_NAME = re.compile(r"[A-Za-z_][\w.]*(?:\(\))?")
_ANCHOR = re.compile(r"""<a id=["']([^"']+)["']>""")
_LINKED = ("class", "exception", "function", "method", "data", "type", "property")
_SHORT = ("class", "exception", "type")
"""What a bare name such as `Pages` may mean. A bare `items` is too often something else."""


def setup(app: Sphinx) -> None:
    """Register the anchors of a page once it is read, and the links when it is written."""
    app.connect("doctree-read", _anchors)
    app.connect("missing-reference", _annotation)
    app.add_post_transform(Linker)


def _anchors(app: Sphinx, tree: nodes.document) -> None:
    """Make `<a id="…"></a>` a target for Markdown links, as it is on GitHub."""
    page = app.env.current_document.docname
    slugs = app.env.metadata[page].setdefault("myst_slugs", {})
    for raw in tree.findall(nodes.raw):
        for name in _ANCHOR.findall(raw.astext()):
            slugs[name] = (raw.line or 0, name, name)
    for link in tree.findall(pending_xref):
        if link["reftype"] == "myst" and not link.get("refdomain") and link["reftarget"] in slugs:
            link["reftargetid"] = link["reftarget"]
            link["refdomain"], link["reftarget"] = "doc", page


def _annotation(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, inside: nodes.TextElement
) -> nodes.Node | None:
    """A type in a signature that has no page: the standard library's, or an internal one."""
    return inside if node.get("refdomain") == "py" else None


class Linker(SphinxPostTransform):
    """Turns names and citations into references."""

    default_priority = 400

    def run(self, **_: object) -> None:
        """Work on one page."""
        self.known = _known(self.env)
        contract = self.env.current_document.docname.startswith("contract/")
        for literal in [] if contract else list(self.document.findall(nodes.literal)):
            if not _inside(literal, nodes.reference, nodes.title, pending_xref):
                self._link(literal)
        for text in list(self.document.findall(nodes.Text)):
            if CITATION.search(text) and not _inside(
                text, nodes.reference, nodes.literal_block, nodes.comment, nodes.raw
            ):
                self._cite(text)

    def _link(self, literal: nodes.literal) -> None:
        text = literal.astext()
        if _NAME.fullmatch(text) and (found := self.known.get(text.removesuffix("()"))):
            page, anchor = found
            literal.replace_self(self._reference(page, anchor, literal.deepcopy()))

    def _cite(self, text: nodes.Text) -> None:
        parts: list[nodes.Node] = []
        whole, at = text.astext(), 0
        for match in CITATION.finditer(whole):
            page, anchor = f"contract/{match[1]}", match[2]
            slugs = cast("dict[str, object]", self.env.metadata[page].get("myst_slugs", {}))
            if page not in self.env.all_docs or anchor not in slugs:
                _log.warning("citation %s does not resolve", match[0], location=text.parent)
                continue
            parts += [nodes.Text(whole[at : match.start()])]
            parts += [self._reference(page, anchor, nodes.Text(match[0]))]
            at = match.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(whole[at:])])

    def _reference(self, page: str, anchor: str, inside: nodes.Node) -> nodes.reference:
        here = self.env.current_document.docname
        uri = "" if page == here else self.app.builder.get_relative_uri(here, page)
        return nodes.reference("", "", inside, refuri=f"{uri}#{anchor}", internal=True)


def _inside(node: nodes.Node, *kinds: type[nodes.Node]) -> bool:
    parent = node.parent
    while parent is not None:
        if isinstance(parent, kinds):
            return True
        parent = parent.parent
    return False


def _known(env: BuildEnvironment) -> dict[str, tuple[str, str]]:
    """Every spelling by which a documented object may be named, where only one has it."""
    domain = env.domains.python_domain
    found: dict[str, set[tuple[str, str]]] = {}
    for name, entry in domain.objects.items():
        if not entry.aliased and entry.objtype in _LINKED:
            for spelling in _spellings(name, entry.objtype):
                found.setdefault(spelling, set()).add((entry.docname, entry.node_id))
    return {spelling: places.pop() for spelling, places in found.items() if len(places) == 1}


def _spellings(name: str, kind: str) -> Iterator[str]:
    """`lix_async.bulk.Run.park`, `bulk.Run.park`, `Run.park`; `Run` for the class itself."""
    parts = name.split(".")
    for start in range(len(parts)):
        rest = parts[start:]
        if len(rest) > 1 or kind in _SHORT:
            yield ".".join(rest)
