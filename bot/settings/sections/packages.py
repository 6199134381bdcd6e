"""Whether, and of which images, it is read what is inside."""

from typing import Annotated

from pydantic import Field

from bot.settings.sections.section import Section

Platform = Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9]+/[A-Za-z0-9_]+(/[A-Za-z0-9_.]+)?$")]


class PackagesSettings(Section):
    """Of which images the packages are read; each layer is fetched once."""

    platforms: list[Platform] = Field(
        ["linux/amd64", "linux/arm64"],
        max_length=20,
        description="Platforms whose packages are read; an empty list fetches no layer at all.",
    )
