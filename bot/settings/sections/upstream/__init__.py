"""Where what others publish is read: registries, their copies, and feeds."""
