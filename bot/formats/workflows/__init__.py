"""GitHub's workflows and action metadata."""

from bot.domain.usage import Kind

KIND = Kind("gha")
