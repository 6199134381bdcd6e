"""Reading the settings: the file first, the environment over it; every defect ends in one line with its place."""

import os
import re
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError

from bot.settings.conflicts import conflicts
from bot.settings.document import BadSettings, SettingsDocument, read
from bot.settings.model import ENVIRONMENT_PREFIX, Settings
from bot.settings.values.texts import has_credentials
from bot.settings.wording import Place, defect_in_words, guess, is_single, line_number_of

NOT_SETTINGS = frozenset({"FRESHNESS_BOT_CONFIG"})
"""Names with our prefix that the command line reads itself."""
_LONGEST_KEY = 260
"""Characters of a key that are told: as many as a host, or a copy of an image, may have."""


def load(path: Path) -> Settings:
    """Reads and checks the file; raises `BadSettings` naming every defect with its line."""
    document = read(path)
    wrong = _unknown_environment() + _unknown_keys(path, document)
    try:
        settings = Settings(
            **{key: value for key, value in document.values.items() if key in Settings.model_fields}
        )
    except ValidationError as error:
        wrong += [
            f"{_where(path, document, _place(defect))}: {defect_in_words(defect)}" for defect in error.errors()
        ]
        raise BadSettings(wrong) from error
    except SettingsError as error:
        raise BadSettings([*wrong, _no_json(error)]) from error
    wrong += [f"{_where(path, document, each.place)}: {each.what}" for each in conflicts(settings)]
    if wrong:
        raise BadSettings(wrong)
    return settings


def _no_json(error: SettingsError) -> str:
    """Where a section or a list is set as JSON that is none; the error names the section, never the value."""
    field_name = re.search(r'field "(\w+)"', str(error))
    prefix = ENVIRONMENT_PREFIX + (field_name[1].upper() if field_name else "")
    names = [name for name in _variables() if name.upper().startswith(prefix)]
    return f'environment {" or ".join(names)}: no JSON; write a list as ["…"] and a section as {{"…": …}}'


def _unknown_keys(path: Path, document: SettingsDocument) -> list[str]:
    """Top-level keys; pydantic-settings would take `LOG` for `log`, and of both one in silence."""
    known = list(Settings.model_fields)
    return [
        f"{_where(path, document, [key])}: unknown key{guess(key, known)}"
        for key in document.values
        if key not in Settings.model_fields
    ]


def _unknown_environment() -> list[str]:
    """pydantic-settings ignores names that it does not know, and keys below a setting that has none; neither must
    go unnoticed."""
    lines = []
    for name in _variables():
        top, *below = name[len(ENVIRONMENT_PREFIX) :].lower().split("__")
        if top not in Settings.model_fields:
            lines.append(f"environment {name}: unknown setting{guess(top, list(Settings.model_fields))}")
        elif below and is_single([top]):
            lines.append(f"environment {name}: {top} has no keys below it; set {ENVIRONMENT_PREFIX}{top.upper()}")
    return lines


def _variables() -> list[str]:
    """The names in the environment that set something."""
    return [name for name in sorted(os.environ) if _sets_something(name)]


def _sets_something(name: str) -> bool:
    return name.upper().startswith(ENVIRONMENT_PREFIX) and name not in NOT_SETTINGS


def _place(defect: ErrorDetails) -> list[str | int]:
    """The keys that lead to a defect, without the names that pydantic gives to its own validators and to keys."""
    return [
        part
        for part in defect["loc"]
        if not (isinstance(part, str) and (part.startswith("function-") or part == "[key]"))
    ]


def _where(path: Path, document: SettingsDocument, place: Place) -> str:
    variable = _variable(place)
    if variable is None:
        return f"{path}:{line_number_of(document.root, place)}: {_named(place)}"
    name, below = variable
    return f"environment {name}" + (f": {_named(below)}" if below else "")


def _named(place: Place) -> str:
    return ".".join("[redacted]" if has_credentials(str(part)) else str(part)[:_LONGEST_KEY] for part in place)


def _variable(place: Place) -> tuple[str, Place] | None:
    """The environment variable that set what stands at `place` or part of it, and where within the variable that
    is."""
    present = {name.upper(): name for name in _variables()}
    for length in range(len(place), 0, -1):
        name = ENVIRONMENT_PREFIX + "__".join(str(part).upper() for part in place[:length])
        if name in present:
            return present[name], place[length:]
        below = next((each for each in present if each.startswith(f"{name}__")), None)
        if below is not None and length == len(place):
            return present[below], ()
    return None
