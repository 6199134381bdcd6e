"""Images of the fleet, their packages and what the gate says of them, as pages and commands show them."""
