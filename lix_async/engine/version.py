"""The version of the package: read here by the build and by what sends or shows it."""

__version__: str = "0.1.0"
