"""Results of the LookC API. Every field may be missing or null; unknown keys are ignored."""

from __future__ import annotations

from .employees import *
from .lookup import *
