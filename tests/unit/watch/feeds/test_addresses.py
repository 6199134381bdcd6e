import httpx
import pytest

from bot.watch.feeds import addresses

ALL = [value for name, value in vars(addresses).items() if name.isupper() and not name.startswith("_")]


@pytest.mark.parametrize("url", ALL)
def test_every_address_is_https_and_short_enough_to_keep(url: str) -> None:
    assert httpx.URL(url).scheme == "https"
    assert len(url) < 1000


def test_the_advisories_asked_for_are_those_of_glibc_musl_and_windows_packs() -> None:
    packages = httpx.URL(addresses.GITHUB_ADVISORIES).params["affects"].split(",")
    for identifier in ("linux-x64", "linux-musl-x64", "win-x64"):
        assert f"Microsoft.NETCore.App.Runtime.{identifier}" in packages
