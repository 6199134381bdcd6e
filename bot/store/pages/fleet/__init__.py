"""The fleet as a whole, and how the bot itself fares, as pages show them."""
