"""The page, the JSON API, health, metrics and webhooks: what the bot serves over HTTP."""
