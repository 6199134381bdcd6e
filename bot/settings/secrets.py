"""Secrets come from files, each read at the moment that it is needed."""

import base64
import binascii
import re
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from bot.domain.forge.tokens import is_of_app
from bot.domain.globs import leaves_owner_open
from bot.settings.document import BadSettings
from bot.settings.model import Settings
from bot.settings.values.addresses import address_defect, is_loopback
from bot.settings.values.services import service_urls

_LARGEST_SECRET = 256 * 1024
_SHORTEST_SECRET = 16
_SHORTEST_TOKEN = 24
_SIGNING_KEY = range(24, 65)
"""Bytes, as Standard Webhooks asks for."""


def secret(path: Path, purpose: str) -> str:
    """The text of a secret file without space around it; raises `BadSettings` naming file and purpose."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_SECRET + 1)
        value = data.decode("utf-8-sig").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise BadSettings([f"{path}: cannot read {purpose}: {reason}; mount the secret there"]) from error
    if len(data) > _LARGEST_SECRET:
        raise BadSettings([f"{path}: {purpose} is larger than {_LARGEST_SECRET // 1024} KiB; this is no secret"])
    if not value:
        raise BadSettings([f"{path}: {purpose} is empty; write the secret into the file"])
    return value


def check_secrets(settings: Settings, file: Path) -> None:
    """Reads each secret once and looks at its form, so that a wrong one is known before the first request; raises
    `BadSettings` with a line for each defect. `file` is where the settings come from."""
    lines: list[str] = []
    for path, purpose in secret_files(settings):
        try:
            defect = _defect(path, secret(path, purpose), purpose)
        except BadSettings as error:
            lines += error.lines
        else:
            lines += [f"{path}: {purpose} {defect}"] if defect else []
    lines += [f"{file}: {line}" for line in _ways_in(settings)]
    if lines:
        raise BadSettings(lines)


def _ways_in(settings: Settings) -> list[str]:
    lines = []
    github, slack = settings.github, settings.slack
    if github.app is None and github.token_file is None:
        lines.append("github: no way to sign in; set github.app or github.token_file")
    if github.app is not None and github.token_file is not None:
        lines.append("github: app and token_file are both set; keep one")
    if github.app is None and github.token_file is not None and not _is_of_app(github.token_file):
        lines += [
            f"github.repositories.include: {glob!r} leaves the owner open, and a person's token cannot list those; "
            'write "OWNER/*" for each organisation or user, or use a GitHub App'
            for glob in github.repositories.include
            if leaves_owner_open(glob)
        ]
    if slack is None:
        lines += ["notify: needs slack.bot_token_file and slack.channel"] if settings.notify else []
        return lines
    if (slack.webhook_file is None) == (slack.bot_token_file is None):
        lines.append("slack: set either webhook_file or bot_token_file")
    if slack.bot_token_file is not None and slack.channel is None:
        lines.append("slack.channel: missing; a bot token needs to know the channel's id")
    if settings.notify and slack.bot_token_file is None:
        lines.append("notify: a webhook has one channel only; set slack.bot_token_file and slack.channel instead")
    return lines


def _is_of_app(token_file: Path) -> bool:
    """Whether it holds a token that can list what it sees; one that cannot be read is told by itself."""
    try:
        return is_of_app(secret(token_file, "github.token_file"))
    except BadSettings:
        return True


def _defect(path: Path, value: str, purpose: str) -> str | None:
    """What shows at a glance that this cannot be the secret; None where nothing does. Never quotes it."""
    if purpose.startswith("running.sources.") and purpose.endswith(".token_file") and len(value) < _SHORTEST_TOKEN:
        return f"has less than {_SHORTEST_TOKEN} characters; make one: openssl rand -hex 24"
    match purpose.rpartition(".")[2]:
        case "private_key_file":
            return _key_defect(value)
        case "ca_file":
            return _certificate_defect(path)
        case "webhook_file":
            return _webhook_defect(value)
        case "signing_key_file":
            return _signing_key_defect(value)
        case "urls_file":
            return _services_defect(value)
        case "token_file" | "bot_token_file":
            is_word = value.isascii() and value.isprintable() and " " not in value
            return None if is_word else "is no token; write the token alone into the file"
        case "github_secret_file" | "registry_secret_file" | "azure_devops_secret_file":
            return _sender_defect(value)
        case "registry_path_file":
            is_part = re.fullmatch(r"[A-Za-z0-9_-]+", value) is not None
            return _sender_defect(value) if is_part else "is no part of a path; make one: openssl rand -hex 24"
        case "tokens_file":
            return _tokens_defect(value)
        case _:
            return None


def _sender_defect(value: str) -> str | None:
    return None if len(value) >= _SHORTEST_SECRET else "is short enough to guess; make one: openssl rand -hex 24"


def _signing_key_defect(value: str) -> str | None:
    try:
        key = base64.b64decode(value.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    advice = 'make one: echo "whsec_$(openssl rand -base64 32)"'
    return None if len(key) in _SIGNING_KEY else f"is no key of 24 to 64 bytes in base64; {advice}"


def _services_defect(text: str) -> str | None:
    try:
        service_urls(text)
    except ValueError as error:
        return str(error)
    return None


def _tokens_defect(text: str) -> str | None:
    from bot.settings.tokens import parse

    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return None


def _key_defect(pem: str) -> str | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "is no private key in PEM without a passphrase; download it again from the App's page"
    return None


def _certificate_defect(path: Path) -> str | None:
    try:
        ssl.create_default_context(cafile=path)
    except (ssl.SSLError, OSError):
        return "holds no certificates in PEM"
    return None


def _webhook_defect(url: str) -> str | None:
    if address_defect(url) is not None:
        return "is no address; write the webhook's URL alone into the file"
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return "would cross the network in the clear; write https://"
    return None


def secret_files(settings: Settings) -> list[tuple[Path, str]]:
    """Every file with a secret, or with certificates, that the settings name, and the setting that does."""
    github, slack = settings.github, settings.slack
    files: list[tuple[Path | None, str]] = [
        (github.token_file, "github.token_file"),
        (github.app.private_key_file if github.app else None, "github.app.private_key_file"),
        (slack.webhook_file if slack else None, "slack.webhook_file"),
        (slack.bot_token_file if slack else None, "slack.bot_token_file"),
        (settings.teams.webhook_file if settings.teams else None, "teams.webhook_file"),
        (settings.events.webhook_file if settings.events else None, "events.webhook_file"),
        (settings.events.signing_key_file if settings.events else None, "events.signing_key_file"),
        (settings.apprise.urls_file if settings.apprise else None, "apprise.urls_file"),
        (settings.store.password_file, "store.password_file"),
        (settings.web.auth.tokens_file, "web.auth.tokens_file"),
        (settings.web.hooks.github_secret_file, "web.hooks.github_secret_file"),
        (settings.web.hooks.azure_devops_secret_file, "web.hooks.azure_devops_secret_file"),
        (settings.web.hooks.registry_secret_file, "web.hooks.registry_secret_file"),
        (settings.web.hooks.registry_path_file, "web.hooks.registry_path_file"),
        *(
            (registry.password_file, f"registries.{host}.password_file")
            for host, registry in settings.registries.items()
        ),
        *(
            (registry.push_password_file, f"registries.{host}.push_password_file")
            for host, registry in settings.registries.items()
        ),
        *(
            (organization.token_file, f"azure_devops.organizations.{name}.token_file")
            for name, organization in (settings.azure_devops.organizations if settings.azure_devops else {}).items()
        ),
        (settings.images.attest.key_file if settings.images.attest else None, "images.attest.key_file"),
        *((registry.ca_file, f"registries.{host}.ca_file") for host, registry in settings.registries.items()),
        *(
            (getattr(source, key), f"running.sources.{number}.{key}")
            for number, source in enumerate(settings.running.sources)
            for key in ("kubeconfig_file", "token_file", "ca_file")
        ),
        *(
            (getattr(source.past, key, None), f"running.sources.{number}.past.{key}")
            for number, source in enumerate(settings.running.sources)
            for key in ("token_file", "ca_file")
        ),
    ]
    return [(path, purpose) for path, purpose in files if path is not None]
