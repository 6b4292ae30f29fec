"""The open objects of Letrics."""

from ..providers.letrics.models import *
