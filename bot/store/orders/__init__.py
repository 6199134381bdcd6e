"""What a person tells the bot to do: orders, what they name, and what is tried again."""
