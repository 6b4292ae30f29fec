"""Results of the Lix API, in one module per subject.

Fields have the API's names in snake_case and hold the values and units that were sent; every field
may be missing. For a time, a property that ends in `_time` reads it as an aware datetime.
"""

from .account import *
from .career import *
from .connections import *
from .contact import *
from .facets import *
from .ids import *
from .inmail import *
from .jobs import *
from .li_organisations import *
from .messages import *
from .organisations import *
from .people import *
from .posts import *
from .reactions import *
