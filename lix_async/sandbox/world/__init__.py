"""The sample world: people, organisations, posts, job postings and inboxes, all made from a seed.

Reading order: `random` (numbers from a seed and a name), `names`, `organisations` and
`company_index`, `people`, `careers` and `person_bodies`, `posts`, `job_postings`, `inbox`, then
`world`, which brings them together, and `search_queries`, `search_index` and `links` for searches.
`lookc_employees`, `connectsafely_profiles` and `meetalfred_records` are the formats of the other
providers.

May import `protocol`.
"""
