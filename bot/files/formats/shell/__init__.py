"""Shell scripts, and the command lines in the steps of pipelines: what they ask `docker` and `dotnet` to build."""

from bot.domain.repositories.usage import Kind

KIND = Kind("shell")
