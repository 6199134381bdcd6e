import httpx
import pytest

from bot.domain.feeds.document import FeedKind
from bot.settings.sections.upstream import FeedsSettings, VulnerabilitiesSettings
from bot.upstream.feeds import addresses, contents
from bot.upstream.osv.addresses import PUBLICATIONS

ALL = [value for value in vars(addresses).values() if isinstance(value, str) and value.startswith("https:")]


@pytest.mark.parametrize("url", ALL)
def test_every_address_is_https_and_short_enough_to_keep(url: str) -> None:
    assert httpx.URL(url).scheme == "https"
    assert len(url) < 1000


def test_the_advisories_asked_for_are_those_of_glibc_musl_and_windows_packs() -> None:
    packages = httpx.URL(addresses.GITHUB_ADVISORIES).params["affects"].split(",")
    for identifier in ("linux-x64", "linux-musl-x64", "win-x64"):
        assert f"Microsoft.NETCore.App.Runtime.{identifier}" in packages


def test_every_feed_that_can_be_set_has_a_kind_and_every_kind_a_reader() -> None:
    assert addresses.KINDS.keys() == FeedsSettings.model_fields.keys() - {"offline", "bundle_key"}
    others = VulnerabilitiesSettings.model_fields.keys() - PUBLICATIONS.keys()
    assert addresses.MARKS.keys() == others
    assert set(FeedKind) == contents.ADVISORIES.keys() | contents.OTHERS.keys()
