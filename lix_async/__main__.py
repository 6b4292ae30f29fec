"""Run the `lix` command as `python -m lix_async`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
