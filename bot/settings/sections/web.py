"""The page, its health and metrics: where they are served, and who gets in."""

from pathlib import Path

from pydantic import Field

from bot.settings.sections.section import Section
from bot.settings.sections.values import ListenAddress


class WebAuthSettings(Section):
    """Who gets in. Without an entry nobody does, and only health is told."""

    tokens_file: Path | None = Field(
        None, description="File with a line for each person or program: NAME RIGHTS TOKEN."
    )


class WebSettings(Section):
    """The page, its health and metrics."""

    listen: ListenAddress | None = Field(
        "127.0.0.1:8484", description="HOST:PORT to serve on; 0.0.0.0 for every address, null to serve nothing."
    )
    auth: WebAuthSettings = WebAuthSettings()
