"""What commands write: rows, tables, files and columns."""
