"""Done means proven: what a green build has left in its registry is looked at before a rebuild has succeeded."""
