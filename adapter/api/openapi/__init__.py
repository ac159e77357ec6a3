"""/openapi.json: what is served, from the schemas that requests go through (decision 46).

What a person writes for it lies in `texts/` (fields, summaries, examples) and in `replies_*.py` (what comes back).
"""
