"""The version of the installed package. Imported late: reading it takes 10 ms."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("lix_async")
except PackageNotFoundError:  # the source alone
    __version__ = "0+unknown"
