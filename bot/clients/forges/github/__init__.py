"""GitHub through PyGithub: its authentication and transport, our values and failures."""

from bot.clients.forges.github.client import GitHub
from bot.clients.forges.github.connection.installations import Chosen, Installations
from bot.clients.forges.github.connection.transport import AppCredentials, GitHubAccess, TokenCredentials

__all__ = ["AppCredentials", "Chosen", "GitHub", "GitHubAccess", "Installations", "TokenCredentials"]
