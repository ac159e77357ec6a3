"""Requests that are made up from /openapi.json: `make fuzz` sends 10,000 of them, the suite some hundred."""
