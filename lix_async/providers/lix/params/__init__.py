"""Parameters of the Lix API: one struct per kind of call, with the provider's own field names."""

from .accounts import *
from .filters import *
from .messages import *
from .profiles import *
from .searches import *
