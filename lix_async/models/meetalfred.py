"""The structs of Meet Alfred."""

from ..providers.meetalfred.models.activity import *
from ..providers.meetalfred.models.campaigns import *
from ..providers.meetalfred.models.connections import *
from ..providers.meetalfred.models.leads import *
from ..providers.meetalfred.models.team import *
