"""Azure Pipelines, which repositories on GitHub build with too."""

from bot.domain.repositories.usage import Kind

KIND = Kind("azure-pipelines")
