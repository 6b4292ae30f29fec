"""The ready-made steps of each provider, one module each, named like the provider.

Only these modules of the waterfall import a provider.
"""
