"""GitHub's GraphQL API: its published schema, played over what the emulator holds."""
