"""HTTP requests, responses, errors and parameters of the simulated APIs.

Reading order: `requests` and `responses` (what comes in and what goes out), `errors` (the error
responses), `params` and `parsing` (from a request to its parameters), `authentication` (hosts and
API keys), `dates` (date formats), `zod` (ConnectSafely's validation errors).

The first part of the sandbox: it imports only `lix_async.core`.
"""
