"""`.env` files: variables that Compose puts into the files next to them."""

from bot.domain.usage import Kind

KIND = Kind("env")
