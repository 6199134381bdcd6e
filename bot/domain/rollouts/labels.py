"""The labels by which people and the bot speak to each other on a pull request."""

HOLD = "freshness:hold"
"""As long as a person leaves it there, the bot changes, closes and merges nothing of the pull request."""
QUARANTINED = "freshness:quarantined"
"""The bot's own: what it brings breaks others at present."""
IGNORE = "freshness:ignore"
"""As long as a person leaves it there, open or closed, the bot asks for nothing more in its place."""
