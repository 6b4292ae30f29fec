"""Ledgers on the command line: addresses, export and lookups in doubt."""
