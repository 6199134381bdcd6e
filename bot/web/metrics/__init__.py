"""What the bot tells Prometheus: one table of metrics, and who fills them."""
