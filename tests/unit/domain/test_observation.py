from datetime import UTC, datetime

from bot.domain.observation import Observation, PlatformImage
from bot.domain.reference import Base

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
AMD64 = PlatformImage("linux/amd64", "sha256:a")
SEEN = Observation(NOON, Base("r", "dotnet/aspnet", "10.0"), "sha256:i", platforms=(AMD64,))


def test_a_platform_is_found_by_its_name() -> None:
    assert SEEN.platform("linux/amd64") is AMD64
    assert SEEN.platform("linux/arm64") is None
