"""Reading what to look up.

- `targets`, `redirects`, `lookup_kinds`: links and e-mail addresses, the links inside redirects,
  and the table of lookup kinds.
- `cell_target`, `column`: the target in a cell, and the column of a table that has the targets.
- `table`: opening a file as a table. `source` and `file_kind` find out what its bytes are;
  `csv_table`, `json_table`, `text_table`, `workbook_table` and `parquet_table` read the rows
  (`table_row`), with `csv_records`, `heading` and `sheet_links`.
- `reader`: the distinct targets of a file, for commands that hold all of them.

It may import `errors`, `text`, `values` and `providers` of the command line.
"""
