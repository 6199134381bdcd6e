"""Secrets come from files, each read at the moment that it is needed."""

from pathlib import Path

from bot.settings.loading import BadSettings
from bot.settings.model import Settings


def secret(path: Path, purpose: str) -> str:
    """The text of a secret file without its last line end; raises `BadSettings` naming file and purpose."""
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise BadSettings([f"{path}: cannot read {purpose}: {reason}; mount the secret there"]) from error
    if not value:
        raise BadSettings([f"{path}: {purpose} is empty; write the secret into the file"])
    return value


def check_secrets(settings: Settings) -> None:
    """Reads each secret once, so that a missing one is known before the first request."""
    lines: list[str] = []
    for path, purpose in _secret_files(settings):
        try:
            secret(path, purpose)
        except BadSettings as error:
            lines += error.lines
    if settings.github.app is None and settings.github.token_file is None:
        lines.append("github: no way to sign in; set github.app or github.token_file")
    if settings.github.app is not None and settings.github.token_file is not None:
        lines.append("github: app and token_file are both set; keep one")
    slack = settings.slack
    if slack is not None and (slack.webhook_file is None) == (slack.bot_token_file is None):
        lines.append("slack: set either webhook_file or bot_token_file")
    if slack is not None and slack.bot_token_file is not None and slack.channel is None:
        lines.append("slack.channel: missing; a bot token needs to know the channel's id")
    if lines:
        raise BadSettings(lines)


def _secret_files(settings: Settings) -> list[tuple[Path, str]]:
    github, slack = settings.github, settings.slack
    named: list[tuple[Path | None, str]] = [
        (github.token_file, "github.token_file"),
        (github.app.private_key_file if github.app else None, "github.app.private_key_file"),
        (slack.webhook_file if slack else None, "slack.webhook_file"),
        (slack.bot_token_file if slack else None, "slack.bot_token_file"),
        (settings.store.password_file, "store.password_file"),
        *(
            (registry.password_file, f"registries.{host}.password_file")
            for host, registry in settings.registries.items()
        ),
        *((registry.ca_file, f"registries.{host}.ca_file") for host, registry in settings.registries.items()),
    ]
    return [(path, purpose) for path, purpose in named if path is not None]
