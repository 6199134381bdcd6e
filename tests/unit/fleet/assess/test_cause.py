import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bases.change import Cause
from bot.domain.bases.observation import Difference, Observation, OsMove, PlatformImage, compare
from bot.domain.platform import Platform
from bot.fleet.assess.assess import cause_of
from bot.upstream.dotnet.releases import Fixes
from tests.unit.fleet.assess.world import AMD64, ARM64, image, seen

UNLISTED, LISTED, FIXED = Fixes(False), Fixes(True), Fixes(True, cves=("CVE-2025-0001",))


def cause(before: Observation, after: Observation, fixes: Fixes = UNLISTED) -> Cause:
    return cause_of(compare(before, after), fixes)


@pytest.mark.parametrize(
    ("fixes", "expected"),
    [
        (FIXED, Cause.DOTNET_SECURITY),
        (Fixes(True, flagged=True), Cause.DOTNET_SECURITY),
        (Fixes(False, cves=("CVE-2025-0001",)), Cause.DOTNET_SECURITY),
        (LISTED, Cause.DOTNET_RELEASE),
        (UNLISTED, Cause.DOTNET_UNKNOWN),
    ],
)
def test_a_new_version_is_what_the_feed_says_of_it(fixes: Fixes, expected: Cause) -> None:
    assert cause(seen("1", version="8.0.16"), seen("2", version="8.0.17"), fixes) is expected


def test_a_version_wins_over_the_os() -> None:
    before = seen("1", image("1", os="alpine3.21", layers="ab"), version="8.0.16")
    after = seen("2", image("2", os="alpine3.22", layers="cd"), version="8.0.17")
    assert cause(before, after, LISTED) is Cause.DOTNET_RELEASE


@pytest.mark.parametrize(
    ("old", "new"), [("9.0.10", "10.0.0"), ("10.0.100", "11.0.100-preview.1"), ("9.0.306", "10.0.100")]
)
def test_another_channel_is_a_channel_move(old: str, new: str) -> None:
    assert cause(seen("1", version=old), seen("2", version=new), FIXED) is Cause.CHANNEL_MOVE


def test_another_distribution_is_an_os_move() -> None:
    before, after = image("1", os="bookworm-slim", layers="ab"), image("2", os="noble", layers="cd")
    assert cause(seen("1", before), seen("2", after)) is Cause.OS_MOVE


def test_another_lowest_layer_is_an_os_update() -> None:
    assert cause(seen("1", image("1", layers="ab")), seen("2", image("2", layers="cb"))) is Cause.OS_UPDATE


def test_an_os_update_of_one_platform_is_enough() -> None:
    before = seen("1", image("1", platform=AMD64), image("2", platform=ARM64))
    after = seen("3", image("1", platform=AMD64), image("4", platform=ARM64, layers="cb"))
    assert cause(before, after) is Cause.OS_UPDATE


def test_changes_above_the_lowest_layer_are_layers_only() -> None:
    assert cause(seen("1", image("1", layers="ab")), seen("2", image("2", layers="ac"))) is Cause.LAYERS_ONLY


def test_a_new_configuration_alone_is_layers_only() -> None:
    assert cause(seen("1", image("1")), seen("2", image("2"))) is Cause.LAYERS_ONLY


def test_an_index_whose_common_platforms_stayed_is_index_only() -> None:
    both = seen("1", image("1", platform=AMD64), image("2", platform=ARM64))
    assert cause(both, seen("3", image("1", platform=AMD64))) is Cause.INDEX_ONLY
    assert cause(seen("3", image("1", platform=AMD64)), both) is Cause.INDEX_ONLY


@pytest.mark.parametrize("former", ["linux/arm", "linux/aarch64"])
def test_a_platform_that_was_stored_under_another_of_its_names_is_the_same(former: str) -> None:
    """As plain arm was, of an index without variants: a base of that alone would seem never to have moved."""
    now = str(Platform.parse(former))
    before, after = image("1", platform=former, layers="ab"), image("2", platform=now, layers="cd")
    move = compare(seen("3", before), seen("4", after))
    assert (move.changed, move.added, move.dropped) == ((now,), (), ())
    assert cause_of(move, UNLISTED) is Cause.OS_UPDATE


def test_a_platform_that_comes_anew_is_no_change_of_the_others() -> None:
    before = seen("1", image("1", platform=AMD64, layers="ab"))
    after = seen("2", image("2", platform=AMD64, layers="ac"), image("3", platform=ARM64, layers="xy"))
    assert cause(before, after) is Cause.LAYERS_ONLY


@pytest.mark.parametrize(("old", "new"), [(None, None), (None, "8.0.16"), ("8.0.16", None)])
def test_without_a_version_on_both_sides_the_layers_decide(old: str | None, new: str | None) -> None:
    before = seen("1", image("1", layers="ab"), version=old, of="runtime-deps:8.0")
    after = seen("2", image("2", layers="ac"), version=new, of="runtime-deps:8.0")
    assert cause(before, after, FIXED) is Cause.LAYERS_ONLY


def test_an_unrecorded_os_is_no_os_move() -> None:
    assert cause(seen("1", image("1", os=None)), seen("2", image("2", os="noble"))) is Cause.LAYERS_ONLY


def test_layers_recorded_on_one_side_only_count_as_an_os_update() -> None:
    assert cause(seen("1", image("1", layers="")), seen("2", image("2", layers="ab"))) is Cause.OS_UPDATE


def test_an_image_whose_platforms_are_not_recorded_counts_as_changed() -> None:
    bare = seen("1")
    unrecorded = Observation(bare.at, bare.base, f"sha256:{'9' * 64}", bare.version)
    assert cause(bare, unrecorded) is Cause.LAYERS_ONLY
    assert cause(unrecorded, bare) is Cause.LAYERS_ONLY


def test_a_withdrawn_base_is_withdrawn() -> None:
    assert cause(seen("1"), seen(None)) is Cause.WITHDRAWN


def test_a_base_that_comes_back_unchanged_has_returned() -> None:
    assert cause(seen("1"), seen("1")) is Cause.RETURNED


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    platforms = draw(st.lists(st.sampled_from([AMD64, ARM64, "linux/arm/v7"]), unique=True))
    images = tuple(
        image(
            draw(st.sampled_from("1234")),
            platform=platform,
            os=draw(st.sampled_from(["noble", "alpine3.22", None])),
            layers=draw(st.sampled_from(["", "ab", "ac", "cb"])),
        )
        for platform in platforms
    )
    version = draw(st.sampled_from([None, "8.0.16", "8.0.17", "9.0.1", "odd"]))
    shown = seen(draw(st.sampled_from("567")), version=version)
    return Observation(shown.at, shown.base, shown.digest, shown.version, platforms=images)


@given(observations(), observations())
def test_the_order_of_platforms_never_matters(before: Observation, after: Observation) -> None:
    turned = Observation(after.at, after.base, after.digest, after.version, platforms=after.platforms[::-1])
    assert cause(before, after) is cause(before, turned)


@given(observations(), observations())
def test_what_needs_no_rebuild_left_every_common_platform_as_it_was(
    before: Observation, after: Observation
) -> None:
    if not cause(before, after).needs_rebuild and before.digest != after.digest:
        earlier = {one.platform: one.digest for one in before.platforms}
        assert all(earlier.get(one.platform, one.digest) == one.digest for one in after.platforms)


def test_a_layer_that_is_known_whole_is_the_one_that_was_known_by_its_twelve_digits() -> None:
    whole = PlatformImage(AMD64, "sha256:2", layers=("sha256:" + "a" * 64, "sha256:" + "c" * 64))
    assert cause(seen("1", image("1", layers="ab")), seen("2", whole)) is Cause.LAYERS_ONLY


def test_of_several_images_of_one_platform_each_counts() -> None:
    """Windows has a build for each of its versions, all of one platform."""
    before = seen("1", *(image(letter, platform="windows/amd64") for letter in "12"))
    for letters, moved in (
        ("12", ()),
        ("13", ("windows/amd64",)),
        ("32", ("windows/amd64",)),
        ("1", ("windows/amd64",)),
    ):
        after = seen("2", *(image(letter, platform="windows/amd64") for letter in letters))
        move = compare(before, after)
        assert (move.changed, move.common, move.dropped) == (moved, ("windows/amd64",), ())


def test_of_several_images_of_one_platform_each_is_compared_with_the_one_in_its_place() -> None:
    first, second = (image(digit, platform="windows/amd64", layers=layers) for digit, layers in ("1a", "2c"))
    news = image("3", platform="windows/amd64", layers="ab")
    move = compare(seen("8", first, second), seen("9", news, second))
    assert (move.changed, move.os_layers) == (("windows/amd64",), ())


@pytest.mark.parametrize(("layers", "os_layers"), [("cb", ()), ("ab", ("windows/amd64",))])
def test_an_image_in_the_place_of_none_is_compared_with_the_last(layers: str, os_layers: tuple[str, ...]) -> None:
    known = [image(digit, platform="windows/amd64", layers=layers) for digit, layers in ("1a", "2d", "3c")]
    fourth = image("4", platform="windows/amd64", layers=layers)
    move = compare(seen("8", *known), seen("9", *known, fourth))
    assert (move.changed, move.os_layers) == (("windows/amd64",), os_layers)
    back = compare(seen("9", *known, fourth), seen("8", *known))
    assert (back.changed, back.os_layers) == (("windows/amd64",), os_layers)


@pytest.mark.parametrize(
    ("old", "new", "told"), [("", "ab", True), ("ab", "", True), ("", "", True), ("ab", "cb", False)]
)
def test_layers_that_one_side_does_not_tell_are_not_recorded(old: str, new: str, told: bool) -> None:
    assert compare(seen("1", image("1", layers=old)), seen("2", image("2", layers=new))).layers_unrecorded is told


def test_an_index_that_changed_all_its_platforms_is_an_index_only() -> None:
    amd64, arm64 = image("1", platform=AMD64), image("2", platform=ARM64)
    move = compare(seen("1", amd64), seen("2", arm64))
    assert (move.common, move.added, move.dropped, cause_of(move, UNLISTED)) == (
        (),
        (ARM64,),
        (AMD64,),
        Cause.INDEX_ONLY,
    )


def test_a_difference_keeps_versions_and_moves() -> None:
    before, after = seen("1", image("1", os="a"), version="8.0.16"), seen("2", image("2", os="b"), version="8.0.17")
    move = compare(before, after)
    assert (move.from_version, move.to_version, move.version_moved) == ("8.0.16", "8.0.17", True)
    assert move.os_moves == (OsMove(AMD64, "a", "b"),)
    assert compare(before, seen(None)) == Difference("8.0.16", None, withdrawn=True)
    assert compare(before, before) == Difference("8.0.16", "8.0.16", returned=True)


def test_what_the_feed_does_not_say_is_not_taken_for_nothing() -> None:
    assert (
        cause(seen("1", version="8.0.16"), seen("2", version="8.0.17"), Fixes(True, unsaid=True))
        is Cause.DOTNET_UNKNOWN
    )
