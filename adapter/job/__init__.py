"""JOB's nouns: pure values and rules, no I/O."""
