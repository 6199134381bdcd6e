"""GitLab CI: the pipeline's own file, and those that it may include."""

from bot.domain.repositories.usage import Kind

KIND = Kind("gitlab-ci")
