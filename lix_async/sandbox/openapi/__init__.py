"""What the sandbox takes and answers, as an OpenAPI 3.1 document made from the tables."""

from .document import document

__all__ = ["document"]
