"""Use cases: launch, operate, query, catalog."""
