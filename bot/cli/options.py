"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How a command prints what it found: for people, or for scripts."""

    TABLE = "table"
    JSON = "json"


CONFIG_VARIABLE = "FRESHNESS_BOT_CONFIG"
ConfigFile = Annotated[Path, typer.Option("--config", "-c", envvar=CONFIG_VARIABLE, help="The settings file.")]
DEFAULT_CONFIG = Path("config/freshness.yaml")
OutputFormat = Annotated[Format, typer.Option("--format", "-f", help="A table for people or JSON for scripts.")]
