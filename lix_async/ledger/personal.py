"""Where the personal ledger of a user is: the one that commands use when none is named."""

from __future__ import annotations

import os
import sys
from pathlib import Path

FOLDER = "lix_async"
FILE = "ledger.db"


def personal_path() -> Path:
    """The path of the personal ledger, in the data folder of the platform.

    That is `$XDG_DATA_HOME` (else `~/.local/share`) on Linux, `~/Library/Application Support` on
    macOS and `%LOCALAPPDATA%` on Windows: the places of the package `platformdirs`. Nothing is
    created.
    """
    return data_folder() / FOLDER / FILE


def data_folder() -> Path:
    """The folder where programs keep the data of this user."""
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", "")
        return Path(local) if local else Path.home() / "AppData" / "Local"
    if sys.platform == "darwin":
        place = Path.home() / "Library" / "Application Support"
    else:
        place = Path.home() / ".local" / "share"
    given = os.environ.get("XDG_DATA_HOME", "").strip()
    # A relative path is invalid and ignored:
    # https://specifications.freedesktop.org/basedir-spec/latest/#variables
    return Path(given) if os.path.isabs(given) else place
