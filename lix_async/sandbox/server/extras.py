"""What to say where the extra of the web server is not installed."""

from __future__ import annotations

from ...core.errors import ConfigurationError


def missing_extra(error: ModuleNotFoundError) -> Exception:
    """What to raise where the web server's packages are not installed."""
    if (error.name or "").startswith("lix_async"):
        return error
    return ConfigurationError(
        f"the sandbox's web server needs {error.name}: pip install lix_async[sandbox]"
    )
