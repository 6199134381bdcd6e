"""GraphQL's mutations."""
