"""From settings to what a registry's client needs: host, user name, password read from its file."""

from bot.clients.registry import RegistryAccess
from bot.settings import Settings, secret


def registry_access(host: str, settings: Settings) -> RegistryAccess:
    """Reads how `host`, a key of `registries`, is spoken to; raises `BadSettings` where its password is missing."""
    wanted = settings.registries[host]
    password = secret(wanted.password_file, f"registries.{host}.password_file") if wanted.password_file else None
    return RegistryAccess(host, wanted.username, password, wanted.ca_file, wanted.insecure, wanted.token_host)
