"""Which options of commands are given a secret: `--password hunter2`, `--api-key=hunter2`."""

import re

from bot.files.audit.secrets.names import holds_secret, is_connection, is_secret_name

_PLAIN_NAMES = frozenset({"requirepass", "masterauth"})
"""Of Redis: options for passwords that no common word tells."""
_OF_SECRET = re.compile(r"(?:password|passwd|passphrase|pass|pwd|token|secret|pat|key|sas)$", re.IGNORECASE)
"""How an option ends that takes the secret itself: others tell of one, as `--token-lifetime` does."""


_ISSUED = re.compile(r"token|secret|key|pat$|bearer", re.IGNORECASE)


def takes_secret(option: str, value: str) -> bool:
    """Whether an option is given a secret where it has a value; `--secret id=nuget` of a build only names one."""
    plain = option.lstrip("-")
    if plain in _PLAIN_NAMES:
        return True
    if plain.lower() == "secret" and "=" in value:
        return False
    name = plain.replace("-", "_")
    return _OF_SECRET.search(name) is not None and is_secret_name(name) and not is_connection(name)


def is_written_out(option: str, value: str) -> bool:
    """Whether what an option is given is the secret itself: `changeme` may be a password, and is no token."""
    return holds_secret("token" if _ISSUED.search(option) else "password", value)
