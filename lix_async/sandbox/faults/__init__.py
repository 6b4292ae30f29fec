"""Faults that the sandbox can play."""
