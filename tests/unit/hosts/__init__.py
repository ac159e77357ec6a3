"""Tests of adapter.hosts."""
