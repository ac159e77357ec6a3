"""`make bench`: the product's figures beside what one would otherwise use, measured in one run on this machine.

    python -m tests.bench [--only NAME ...] [--runs N] [--json FILE] [--short]

docs/performance.md says how each figure is got and what bounds it.
"""
