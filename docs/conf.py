"""Sphinx settings: `python -m nox -s docs` builds the site and checks its links."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))

project = "lix_async"
author = "The lix_async authors"
copyright = "The lix_async authors"  # noqa: A001  # Sphinx's name

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "myst_parser", "lix_docs"]
exclude_patterns = ["_build", "_extensions"]
nitpicky = True

# Pages. `colon_fence` lets GitHub show the inside of a note.
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # CHANGELOG.md is included below a heading of its page

# Docstrings. Names in single backticks are code; `lix_docs` links those that are documented.
default_role = "code"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Credits", "returns_style"), ("Contract", "returns_style")]
napoleon_use_ivar = True
napoleon_use_rtype = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_default_options = {"undoc-members": True}
toc_object_entries_show_parents = "hide"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80

html_theme = "furo"
html_title = "lix_async"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_show_copyright = False
pygments_style = "friendly"
pygments_dark_style = "monokai"
