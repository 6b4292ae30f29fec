"""What changes while a sandbox runs.

Reading order: `state` (messages sent, accounts attached, caches), `credit_ledger` (balances and
charges), `rate_limits` (rates and the daily allowance), `connectsafely_quota`,
`background_lookups` and `webhooks` (LookC's lookups that finish later).

May import `protocol`, `world` and `faults`.
"""
