"""The structs of ConnectSafely."""

from ..providers.connectsafely.models.accounts import *
from ..providers.connectsafely.models.profiles import *
from ..providers.connectsafely.models.searches import *
