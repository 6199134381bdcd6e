"""What a green build has left in its registry, looked at before a rebuild has succeeded."""
