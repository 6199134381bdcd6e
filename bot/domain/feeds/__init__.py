"""What feeds say: their documents, and the advisories and releases in them."""
