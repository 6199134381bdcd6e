"""What can be set already and has no effect in this version; whoever makes one work takes its line away here."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.settings.model import Settings

_SECTIONS = (("rollout", "first_run"),)


def without_effect(settings: "Settings") -> list[str]:
    """Names each key that is set but does nothing when the bot runs, a line each."""
    return [f"{key} is accepted, but has no effect in this version" for key in _unused(settings)]


def _unused(settings: "Settings") -> Iterator[str]:
    for section, name in _SECTIONS:
        if name in getattr(settings, section).model_fields_set:
            yield f"{section}.{name}"
