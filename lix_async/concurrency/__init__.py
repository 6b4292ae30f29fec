"""Event loops, clocks, worker threads and worker pools."""
