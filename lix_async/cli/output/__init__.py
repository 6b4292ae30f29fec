"""Rows as files, tables and text.

- `files`: private files, appended to or replaced as a whole.
- `schema`, `columns`: the columns of a row type, and `--columns`.
- `rows`: JSONL and CSV. `table`: a table on the terminal. `parquet`: Parquet by duckdb.
- `listing_file`, `destination`: the resumable file of a listing; the choice of file or stdout.
- `lookup_rows`, `lookup_file`: the rows of lookups, and the file that a later run continues.
- `single`: one answer.

It may import `input` and the modules beside this package, but not `ledger` or `commands`.
"""
