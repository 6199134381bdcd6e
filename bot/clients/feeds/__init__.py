"""What feeds and OSV publish, fetched whole, as dumps or by questions."""
