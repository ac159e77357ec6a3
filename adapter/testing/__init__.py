"""Doubles and factories, shipped and themselves tested."""
