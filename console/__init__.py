"""The merchandiser's page: a client of the public HTTP API, on port 8081."""
