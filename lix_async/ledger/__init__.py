"""The ledger: what was asked for, what was paid for it and what came, in SQLite or PostgreSQL."""
