"""HTTP, bounded: in size, time, attempts, redirects and in whom it is sent to."""
