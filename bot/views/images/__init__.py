"""Images that the fleet produces: what they stand on, where they run, what they hold, what is wrong with that."""
