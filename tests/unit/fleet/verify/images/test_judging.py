"""All platforms of one image, judged together."""

from bot.domain.bases.observation import NotJudged
from bot.domain.images.named_bases import NamedBases
from bot.domain.images.standing import LAW, Doubt, ImageState, state_of
from bot.fleet.verify.images.judging import Observed, judge
from bot.fleet.verify.images.ports import KnownImage
from bot.images.standing.observed_layers import ObservedLayers
from tests.builders import ASPNET
from tests.unit.images.standing.world import AMD64, image, shown

ARM, WINDOWS = "linux/arm64", "windows/amd64"


def observed(*platforms: str) -> Observed:
    """A base was observed, and these platforms are wanted."""
    layers = ObservedLayers([shown(image("os"), image("os", platform=ARM))])
    return Observed(frozenset(platforms), layers)


def built(*not_judged: NotJudged, law: int = LAW) -> KnownImage:
    platforms = (image("os", "app"), image("other", "app", platform=ARM))
    named = NamedBases((ASPNET,), (ASPNET,))
    return KnownImage(1, "ghcr.io/contoso/shop", platforms, {}, (), named, law=law, not_judged=not_judged)


def test_of_the_platforms_that_are_wanted_each_has_to_be_current() -> None:
    assert state_of(judge(built(), observed())) is ImageState.UNKNOWN
    assert state_of(judge(built(), observed(AMD64))) is ImageState.CURRENT
    assert state_of(judge(built(), observed(WINDOWS))) is ImageState.UNKNOWN


def test_an_entry_of_another_platform_that_was_not_judged_is_left_out_with_that() -> None:
    windows = NotJudged(f"{WINDOWS} 10.0.20348.2700", "stands beside images for Linux")
    assert state_of(judge(built(windows), observed(AMD64))) is ImageState.CURRENT
    assert state_of(judge(built(windows), observed(AMD64, WINDOWS))) is ImageState.UNKNOWN
    assert state_of(judge(built(windows), observed())) is ImageState.UNKNOWN


def test_an_entry_whose_platform_nothing_tells_is_not_left_out() -> None:
    for name in ("sha256:0123456789ab…", "3 more"):
        unread = NotJudged(name, "names no platform, and neither does its configuration")
        assert state_of(judge(built(unread), observed(AMD64))) is ImageState.UNKNOWN


def test_what_was_read_for_an_earlier_edition_of_the_law_proves_nothing() -> None:
    [standing, _] = judge(built(law=LAW - 1), observed(AMD64))
    assert (standing.state, standing.doubt) == (ImageState.CLAIMED, Doubt.EARLIER_LAW)
