"""Faults in a random order, repeatable by a seed, under jobs of which everything is known. `make chaos`."""
