"""What runs, written to the forge as deployment records, where that is wished."""
