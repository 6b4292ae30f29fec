"""Faults: failures that the sandbox produces on request.

Reading order: `schedule` (all faults by name, and when they happen), `response_faults` (error
responses, broken connections and damaged bodies), `page_faults` (pages with wrong items or totals).

May import `protocol`.
"""
