"""Whether, and of which images, it is read what is inside."""

import pytest
from pydantic import ValidationError

from bot.settings.sections.images import PackagesSettings


def test_platforms_are_compared_with_indexes_however_they_are_written() -> None:
    settings = PackagesSettings(platforms=["linux/amd64/v1", "linux/aarch64", "linux/arm"])
    assert settings.platforms == ["linux/amd64", "linux/arm64", "linux/arm/v7"]


@pytest.mark.parametrize("platform", ["", "linux", "linux/", "linux/arm/v7/x"])
def test_what_is_no_platform_is_refused(platform: str) -> None:
    with pytest.raises(ValidationError, match="no platform"):
        PackagesSettings(platforms=[platform])
