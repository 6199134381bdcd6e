"""Everything an operator can set, and where secrets are read from.

The names are imported when they are first asked for: a command that reads no settings starts without pydantic.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.settings.document import BadSettings
    from bot.settings.loading import load
    from bot.settings.model import Settings
    from bot.settings.secrets import check_secrets, secret

__all__ = ["BadSettings", "Settings", "check_secrets", "load", "secret"]
_HOMES = {
    "BadSettings": "bot.settings.document",
    "Settings": "bot.settings.model",
    "check_secrets": "bot.settings.secrets",
    "load": "bot.settings.loading",
    "secret": "bot.settings.secrets",  # nosec B105
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
