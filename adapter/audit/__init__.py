"""What must agree about a job, compared: pure functions over what the store, the artifacts and the hosts say."""
