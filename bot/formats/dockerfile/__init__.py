"""Dockerfiles and Containerfiles, read as BuildKit reads them."""

from bot.domain.usage import Kind

KIND = Kind("dockerfile")
