"""Test cases in the database: what a run's are, and what many runs tell of a test.

`chunk` packs them with their texts, `keeping` writes and removes them, `reading` lists those of a run, and
`history` answers what is asked across runs, from narrow rows in the order of runs.
"""
