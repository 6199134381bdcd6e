"""Dockerfiles and Containerfiles, read as BuildKit reads them."""

from bot.domain.repositories.usage import Kind

KIND = Kind("dockerfile")
