"""The version of the package: the build reads it here, as does everything that sends or shows it."""

__version__ = "0.1.0"
