"""One module for each provider, named like its folder: the only places that know it."""
