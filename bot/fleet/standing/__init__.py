"""The counts of the fleet, kept up to date."""
