"""Answers as tables for pandas, polars, DuckDB and pyarrow; the extra `frames`.

    frame = await lix.search.people(URL, max_items=500).to_frame()
    frame.to_polars()

The columns follow from the struct, never from the data. A frame is an Arrow stream
(`__arrow_c_stream__`), which polars and DuckDB read without pyarrow.

Modules in reading order: `columns` (the columns of a struct), `frame` (`Frame`), `build`
(`to_frame`, `schema`), `enrich` (`enrich_frame`).
"""

from ..bulk.run import RunOptions
from .build import schema, to_frame
from .enrich import AnyTable, enrich_frame
from .frame import Frame

__all__ = ["AnyTable", "Frame", "RunOptions", "enrich_frame", "schema", "to_frame"]
