"""What the site adds to Sphinx: generated reference pages, links out of plain code, and checks.

* `generate`: `<!-- generate: WHAT ARGUMENTS -->` on a page is replaced by what is made from the
  code: API entries, endpoint tables, the command line, environment variables.
* `docstrings`: the Markdown that docstrings contain (code fences, tables) becomes reStructuredText.
* `links`: names of documented objects in backticks, and citations such as `lix.md#person.get`,
  become links.
* `checks`: warns of a public name that no reference page has, and of an environment variable that
  the settings page does not list. Warnings are errors in `nox -s docs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pygments.lexers.special import TextLexer

from . import checks, docstrings, generate, links

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, object]:
    """Connect the parts."""
    for part in (generate, docstrings, links, checks):
        part.setup(app)
    app.add_lexer("csv", TextLexer)  # Pygments has none
    return {"parallel_read_safe": True, "parallel_write_safe": True}
