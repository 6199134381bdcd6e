"""GitHub through PyGithub: its authentication and transport, our values and failures."""

from bot.clients.forges.github.client import GitHub
from bot.clients.forges.github.connection.connections import AppCredentials, GitHubAccess, TokenCredentials
from bot.clients.forges.github.connection.installations import Chosen, Installations

__all__ = ["AppCredentials", "Chosen", "GitHub", "GitHubAccess", "Installations", "TokenCredentials"]
