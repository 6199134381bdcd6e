"""What the page, its JSON and the metrics ask of the store: counted, sorted and cut into pages by the database."""
