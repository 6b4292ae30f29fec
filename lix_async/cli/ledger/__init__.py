"""Ledgers on the command line.

- `address`: the address of a ledger, without its password in messages.
- `export`: the entries of a ledger as a file.
- `in_doubt`: listing the lookups in doubt, and deciding about them.

It may import `runtime`, `input`, `output` and the modules beside this package.
"""
