"""Reading what to look up.

- `targets`: links and e-mail addresses, and the table of lookup kinds.
- `csv_records`: CSV with large cells, and its syntax errors.
- `reader`: files of targets.

It may import `errors`, `text`, `values` and `providers` of the command line.
"""
