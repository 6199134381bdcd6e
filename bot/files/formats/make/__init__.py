"""Makefiles and justfiles: the command lines of their recipes."""

from bot.domain.repositories.usage import Kind

KIND = Kind("make")
