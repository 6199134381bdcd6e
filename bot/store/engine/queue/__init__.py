"""Due rows as a queue: claimed, leased, given back."""
