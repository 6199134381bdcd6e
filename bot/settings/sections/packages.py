"""Whether, and of which images, it is read what is inside."""

from typing import Annotated

from pydantic import AfterValidator, Field

from bot.domain.platform import Platform, stored_names
from bot.settings.section import Section

PlatformName = Annotated[
    str,
    Field(max_length=100, examples=["linux/amd64", "linux/arm/v7"]),
    AfterValidator(lambda text: str(Platform.parse(text))),
]


class PackagesSettings(Section):
    """Of which images the packages are read; each layer is fetched once."""

    platforms: list[PlatformName] = Field(
        ["linux/amd64", "linux/arm64"],
        max_length=20,
        description="Platforms whose packages are read; an empty list fetches no layer at all.",
    )

    @property
    def stored_platforms(self) -> tuple[str, ...]:
        """The platforms by each name that the store may have them under."""
        return stored_names(self.platforms)
