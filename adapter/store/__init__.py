"""Tables, queries, migrations and the log store."""
