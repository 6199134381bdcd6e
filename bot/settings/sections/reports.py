"""Reports of scanners that the bot fetches by itself."""

from pydantic import Field

from bot.settings.section import Section
from bot.settings.values.texts import Name


class ReportsSettings(Section):
    """What scanners found in images, as workflows leave it behind; the gate hears it."""

    artifacts: list[Name] = Field(
        [],
        max_length=20,
        description="Globs over the names of artifacts that hold reports, read once a run has ended.",
    )
    most: int = Field(5, ge=1, le=20, description="Artifacts that are read of one run.")
