"""Reading the settings: the file first, the environment over it; every defect ends in one line with its place."""

import os
import re
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError

from bot.settings.document import BadSettings, SettingsDocument, read
from bot.settings.model import ENVIRONMENT_PREFIX, Settings
from bot.settings.wording import defect_in_words, guess, line_number_of

NOT_SETTINGS = frozenset({"FRESHNESS_BOT_CONFIG"})
"""Names with our prefix that the command line reads itself."""


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
    wrong += [
        f"{_where(path, document, ['policy', place, 'wave'])}: {what}" for place, what in settings.unknown_waves()
    ]
    if wrong:
        raise BadSettings(wrong)
    return settings


def _no_json(error: SettingsError) -> str:
    """Where a section or a list is set as JSON that is none; the error names the section, never the value."""
    field_name = re.search(r'field "(\w+)"', str(error))
    prefix = ENVIRONMENT_PREFIX + (field_name[1].upper() if field_name else "")
    names = sorted(name for name in os.environ if name.upper().startswith(prefix))
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
    """pydantic-settings ignores names that it does not know; a misspelt one must not go unnoticed."""
    lines = []
    for name in sorted(os.environ):
        if not name.upper().startswith(ENVIRONMENT_PREFIX) or name in NOT_SETTINGS:
            continue
        top = name[len(ENVIRONMENT_PREFIX) :].split("__")[0].lower()
        if top not in Settings.model_fields:
            lines.append(f"environment {name}: unknown setting{guess(top, list(Settings.model_fields))}")
    return lines


def _place(defect: ErrorDetails) -> list[str | int]:
    """The keys that lead to a defect, without the names that pydantic gives to its own validators."""
    return [part for part in defect["loc"] if not (isinstance(part, str) and part.startswith("function-"))]


def _where(path: Path, document: SettingsDocument, place: list[str | int]) -> str:
    setting_name = ".".join(str(part) for part in place)
    variable = _variable(place)
    return (
        f"environment {variable}" if variable else f"{path}:{line_number_of(document.root, place)}: {setting_name}"
    )


def _variable(place: list[str | int]) -> str | None:
    """The environment variable that set what stands at `place`, or part of it."""
    present = {name.upper(): name for name in os.environ}
    for length in range(len(place), 0, -1):
        name = ENVIRONMENT_PREFIX + "__".join(str(part).upper() for part in place[:length])
        if name in present:
            return present[name]
    return None
