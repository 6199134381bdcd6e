"""What is said: each kind of message worded from the present state."""
