"""Ledgers on the command line.

- `address`: the address of a ledger, without its password in messages.
- `earlier_ledger`: the ledger that was kept beside each input file, taken in.
- `export`: the entries of a ledger as a file.
- `in_doubt`: lookups that a person decides about: those in doubt, and those that have ended.

It may import `runtime`, `input`, `output` and the modules beside this package.
"""
