"""The structs that the methods of the clients return, for annotations.

Those of Lix are here; those of the other providers in `lookc`, `connectsafely`, `letrics` and
`meetalfred`, since several providers have a `Person`.

Example:
    ```python
    from lix_async.models import Experience, Person
    from lix_async.models.lookc import Employee
    ```
"""

from ..providers.lix.models.account import *
from ..providers.lix.models.career import *
from ..providers.lix.models.connections import *
from ..providers.lix.models.contact import *
from ..providers.lix.models.facets import *
from ..providers.lix.models.ids import *
from ..providers.lix.models.inmail import *
from ..providers.lix.models.jobs import *
from ..providers.lix.models.li_organisations import *
from ..providers.lix.models.messages import *
from ..providers.lix.models.organisations import *
from ..providers.lix.models.people import *
from ..providers.lix.models.posts import *
from ..providers.lix.models.reactions import *
