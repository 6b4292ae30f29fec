"""Results of the Meet Alfred API.

Fields hold the values as they were sent; a property that ends in `_time` reads one as a datetime.
Most types are known from a single published sample, so every field may be missing.
"""

from __future__ import annotations

from .activity import *
from .campaigns import *
from .connections import *
from .leads import *
from .team import *
