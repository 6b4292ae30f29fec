"""Requests, responses, errors and parameters of the played APIs."""
