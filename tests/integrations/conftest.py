"""A PostgreSQL for the queues."""

from servers import postgres_dsn  # noqa: F401  # a fixture
