"""From settings to what a registry's client needs: host, and how to sign in there."""

import os
from collections.abc import Sequence
from dataclasses import replace

from bot.clients.entra import AzureIdentity
from bot.clients.registry import RegistryAccess
from bot.clients.registry.azure import AzureLogin
from bot.clients.registry.docker import DockerLogin, docker_config
from bot.settings import Settings, secret


def _registry_access(host: str, settings: Settings) -> RegistryAccess:
    """Reads how `host`, a key of `registries`, is spoken to; raises `BadSettings` where its password is missing."""
    registry = settings.registries[host]
    password = (
        secret(registry.password_file, f"registries.{host}.password_file") if registry.password_file else None
    )
    access = RegistryAccess(
        host, registry.username, password, registry.ca_file, registry.insecure, registry.token_host
    )
    if registry.azure is None:
        return access
    return replace(access, login=AzureLogin(access.address, AzureIdentity(registry.azure), registry.client_id))


def accesses_of(settings: Settings) -> list[RegistryAccess]:
    """Reads how all `registries` are spoken to; raises `BadSettings` where a password is missing."""
    return [_registry_access(host, settings) for host in settings.registries]


def push_access(host: str, settings: Settings) -> RegistryAccess:
    """Reads how `host` is written to, with credentials apart from those for reading; raises `BadSettings`."""
    registry = settings.registries[host]
    file = registry.push_password_file
    password = secret(file, f"registries.{host}.push_password_file") if file else None
    return RegistryAccess(host, registry.push_username, password, registry.ca_file, registry.insecure)


def accesses_of_caller(settings: Settings) -> Sequence[RegistryAccess]:
    """Reads how a person's command speaks to all `registries`: where settings do not say, as Docker's own do.

    Raises `BadSettings`, and `Failure` where Docker's configuration cannot be read.
    """
    accesses = accesses_of(settings)
    docker_files = docker_config(os.environ)
    if docker_files is None:
        return accesses
    return [
        access if access.way_in is not None else replace(access, login=DockerLogin(access.host, *docker_files))
        for access in accesses
    ]
