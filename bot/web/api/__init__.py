"""`/api/v1`: the views of the pages as JSON, described by OpenAPI."""
