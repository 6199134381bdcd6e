"""GitHub through PyGithub: its authentication and transport, our values and failures."""

from bot.clients.github.client import GitHub
from bot.clients.github.transport import AppCredentials, GitHubAccess, TokenCredentials

__all__ = ["AppCredentials", "GitHub", "GitHubAccess", "TokenCredentials"]
