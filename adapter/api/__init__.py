"""JOB's HTTP dialects: routes as data, schemas, replies, authentication."""
