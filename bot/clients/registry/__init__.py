"""OCI registries: what they show, and how the bot is let in."""

from bot.clients.registry.entry import RegistryAccess, host_rules
from bot.clients.registry.registry import LARGEST_MANIFEST, Registry

__all__ = ["LARGEST_MANIFEST", "Registry", "RegistryAccess", "host_rules"]
