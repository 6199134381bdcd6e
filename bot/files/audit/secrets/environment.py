"""What a variable of a container's environment brings of secrets: written out, or put in by whoever starts it."""

import re

from bot.files.audit.secrets.names import (
    as_a_placeholder,
    ends_as_secret,
    holds_secret,
    is_connection,
    is_secret_itself,
    is_secret_name,
    takes_a_password,
)

_PUT_IN = re.compile(
    r"(?<!\$)\$(?:\{(?P<braced>[A-Za-z_]\w*)(?::?[-?](?P<default>[^}]*))?\}|(?P<bare>[A-Za-z_]\w*))"
    r"|#\{(?P<token>[\w.]+)\}#?|__[A-Za-z\d]\w*?__"
)
"""A variable that Compose, a shell or a pipeline puts into a value."""
_SWITCH = re.compile(r"true|false|yes|no|on|off|\d{1,4}", re.IGNORECASE)


def may_bring_secret(name: str, value: str) -> bool:
    """Whether a variable is put in under a name that speaks of a secret, and need not be one itself."""
    is_open = is_secret_name(name) and not is_connection(name) and not ends_as_secret(name)
    return is_open and (value.startswith("$") or _PUT_IN.fullmatch(value) is not None) and not _secret_put_in(value)


def is_put_in_later(value: str) -> bool:
    """Whether a value only stands for what a shell, Compose or a pipeline puts in."""
    return _PUT_IN.fullmatch(value) is not None


def secret_brought(name: str, value: str) -> str:
    """Says what a variable brings of secrets into the environment; empty where it brings none that is seen."""
    if takes_a_password(value):
        return f"{name} comes into the environment with a password"
    is_named_so = is_secret_name(name) and not is_connection(name)
    if is_named_so and ends_as_secret(name) and (value.startswith("$") or _PUT_IN.fullmatch(value)):
        return f"{name} comes into the environment"
    if not may_bring_secret(name, value) and holds_secret(name, value):
        return f"{name} is written out{as_a_placeholder(name, value)}"
    variable = _secret_put_in(value)
    return f"{name} takes {variable} into the environment" if variable else ""


def _secret_put_in(value: str) -> str:
    """A variable that is a secret by its name, and is put into a value; empty where there is none."""
    for match in _PUT_IN.finditer(value):
        name = match["braced"] or match["bare"] or match["token"]
        if name and is_secret_itself(name) and not _SWITCH.fullmatch(match["default"] or ""):
            return name
    return ""
