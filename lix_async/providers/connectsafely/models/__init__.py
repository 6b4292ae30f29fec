"""Results of the ConnectSafely API.

Fields hold the values as they were sent; a property that ends in `_time` reads one as a datetime.
"""

from __future__ import annotations

from .accounts import *
from .profiles import *
from .searches import *
