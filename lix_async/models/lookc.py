"""The structs of LookC."""

from ..providers.lookc.models.employees import *
from ..providers.lookc.models.lookup import *
from ..providers.lookc.webhooks import WebhookEvent as WebhookEvent
