"""The error for a missing extra."""

from __future__ import annotations

from ...core.errors import ConfigurationError


def missing_extra(error: ModuleNotFoundError) -> Exception:
    """The error to raise if a package of the web server is not installed."""
    if (error.name or "").startswith("lix_async"):
        return error
    return ConfigurationError(
        f"the sandbox's web server needs {error.name}: pip install lix_async[sandbox]"
    )
