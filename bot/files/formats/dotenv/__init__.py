"""`.env` files: variables that Compose puts into the files next to them."""

from bot.domain.repositories.usage import Kind

KIND = Kind("env")
