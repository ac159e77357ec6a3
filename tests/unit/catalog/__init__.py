"""Tests of the stored definitions: accounts, scripts, plans, and the files that define them."""
