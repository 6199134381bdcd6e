"""GitHub's workflows and action metadata."""

from bot.domain.repositories.usage import Kind

KIND = Kind("gha")
