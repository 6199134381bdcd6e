"""GitHub's published GraphQL schema. Source: npm `@octokit/graphql-schema`."""

from functools import lru_cache

from graphql import GraphQLSchema, build_schema

from sandbox.programs import parts


@lru_cache(maxsize=1)
def published() -> GraphQLSchema:
    """Read on first use (two seconds). Raises `parts.MissingPart`."""
    parts.require("graphql")
    return build_schema(parts.GRAPHQL.read_text(), assume_valid=True, assume_valid_sdl=True)
