"""Law 1: layers prove the base that an image is built from, and nothing short of that is current."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.bases.observation import DeclaredVersion, Observation, PlatformImage
from bot.domain.evidence import Strength
from bot.domain.images.standing import Doubt, ImageState
from bot.domain.reference import Base
from bot.images.provenance.slsa import Material, Provenance
from bot.images.standing.declared import of_annotations, of_provenance, stages_of
from bot.images.standing.observed_layers import ObservedLayers
from tests.builders import ASPNET, NOON, SDK
from tests.unit.images.standing.world import digest, image, shown, stands

DEPS = Base("mcr.microsoft.com", "dotnet/runtime-deps", "10.0")
GOLDEN = Base("ghcr.io", "contoso/golden", "latest")
OS = shown(image("os"), base=DEPS)


def on_aspnet(*own: str) -> PlatformImage:
    return image("os", "aspnet", *own)


def declares(shown_image: PlatformImage, *steps: str, **versions: str) -> PlatformImage:
    """The image with these variables, none of which shows which step has set it, and these steps."""
    declared = tuple(DeclaredVersion(name, value) for name, value in versions.items())
    return replace(shown_image, versions=declared, history=steps)


def with_platform(seen: Observation, platform: PlatformImage) -> Observation:
    return replace(seen, platforms=(platform,))


def test_an_image_on_a_build_that_nobody_saw_is_not_current_by_the_layers_below_that() -> None:
    standing = stands(on_aspnet("app"), ObservedLayers([OS]), expected=[ASPNET])
    assert (standing.state, standing.built_from) == (ImageState.UNSEEN_BUILD, ASPNET)
    assert standing.told(NOON) == (
        "a build of aspnet:10.0 that was not seen, over runtime-deps:10.0 of 2026-03-10, as it is now, "
        "proved by 1 layer"
    )


def test_once_the_build_is_seen_the_image_is_judged_by_it() -> None:
    observed = ObservedLayers([OS])
    observed.add(shown(on_aspnet()))
    assert stands(on_aspnet("app"), observed, expected=[ASPNET]).is_current


def test_a_build_that_nobody_saw_is_not_behind_though_what_it_stands_on_is_old() -> None:
    observed = ObservedLayers([OS, shown(image("os 2"), base=DEPS, hours=24)])
    standing = stands(on_aspnet("app"), observed, expected=[ASPNET])
    assert (standing.state, standing.behind_since) == (ImageState.UNSEEN_BUILD, None)


def test_of_the_bases_that_the_files_name_one_that_may_stand_on_what_the_layers_show_was_not_seen() -> None:
    runtime = replace(DEPS, repository="dotnet/runtime")
    standing = stands(on_aspnet("app"), ObservedLayers([shown(on_aspnet())]), expected=[runtime, GOLDEN])
    assert standing.built_from == GOLDEN
    alone = stands(on_aspnet("app"), ObservedLayers([shown(on_aspnet())]), expected=[runtime])
    assert (alone.state, alone.built_from) == (ImageState.UNSEEN_BUILD, runtime)


def test_what_a_build_that_nobody_saw_declares_is_not_held_against_what_lies_below_it() -> None:
    observed = ObservedLayers([with_platform(OS, declares(image("os")))])
    standing = stands(declares(on_aspnet("app"), ASPNET_VERSION="10.0.9"), observed, expected=[ASPNET])
    assert (standing.state, standing.disagreement) == (ImageState.UNSEEN_BUILD, "")


def test_provenance_that_names_what_lies_below_a_build_that_nobody_saw_proves_no_more_than_the_layers() -> None:
    short = shown(image("os", short=True), base=DEPS)
    uri = "pkg:docker/mcr.microsoft.com/dotnet/runtime-deps@10.0"
    build = Provenance("", (Material(uri, frozenset({short.digest or ""})),), Material("", frozenset()))
    verified = of_provenance(build, [], is_verified=True)
    standing = stands(on_aspnet("app"), ObservedLayers([short]), [verified], expected=[ASPNET])
    assert (standing.state, standing.strength) == (ImageState.UNSEEN_BUILD, Strength.CLAIMED)


def test_an_unseen_build_of_an_own_base_is_told_over_microsofts() -> None:
    standing = stands(on_aspnet("golden", "app"), ObservedLayers([shown(on_aspnet())]), expected=[GOLDEN])
    assert standing.state is ImageState.UNSEEN_BUILD


def test_a_mirrors_build_that_was_not_seen_is_not_proved_by_the_same_layers_elsewhere() -> None:
    mirror = replace(ASPNET, registry="registry.contoso.com")
    standing = stands(on_aspnet("app"), ObservedLayers([shown(on_aspnet())]), expected=[mirror])
    assert standing.state is ImageState.UNSEEN_BUILD


def test_where_no_base_is_named_the_longest_match_is_a_claim() -> None:
    standing = stands(on_aspnet("app"), ObservedLayers([shown(on_aspnet())]))
    assert (standing.state, standing.doubt) == (ImageState.CLAIMED, Doubt.NO_BASE_NAMED)
    assert "claimed by 2 layers, at least: no file" in standing.told(NOON)


def test_where_no_base_is_named_a_patch_tag_that_still_shows_it_does_not_hide_that_the_channel_went_on() -> None:
    slim = Base(ASPNET.registry, ASPNET.repository, "8.0-bookworm-slim")
    observed = ObservedLayers(
        [
            shown(on_aspnet(), base=slim),
            shown(on_aspnet(), base=replace(slim, tag="8.0.11")),
            shown(image("os", "aspnet 2"), base=slim, hours=24),
        ]
    )
    standing = stands(on_aspnet("app"), observed)
    assert (standing.state, standing.base) == (ImageState.BEHIND, slim)
    assert standing.behind_since == NOON + timedelta(hours=24)


def test_a_base_that_verified_provenance_names_is_known() -> None:
    seen = shown(on_aspnet())
    uri = "pkg:docker/mcr.microsoft.com/dotnet/aspnet@10.0?platform=linux%2Famd64"
    provenance = Provenance("", (Material(uri, frozenset({seen.digest or ""})),), Material("", frozenset()))
    verified = of_provenance(provenance, [], is_verified=True)
    assert stands(on_aspnet("app"), ObservedLayers([seen]), [verified]).is_current


def test_where_several_bases_are_named_one_that_another_may_stand_on_is_a_claim() -> None:
    observed = ObservedLayers([OS, shown(on_aspnet())])
    on_deps = stands(image("os", "app"), observed, expected=[ASPNET, DEPS])
    assert (on_deps.state, on_deps.doubt) == (ImageState.CLAIMED, Doubt.SEVERAL_NAMED)
    assert stands(on_aspnet("app"), observed, expected=[ASPNET, DEPS]).is_current


def test_where_the_last_stage_may_be_built_from_what_nobody_watches_its_layers_are_a_claim() -> None:
    observed = ObservedLayers([shown(on_aspnet())])
    standing = stands(on_aspnet("app"), observed, expected=[ASPNET], is_open=True)
    assert (standing.state, standing.doubt) == (ImageState.CLAIMED, Doubt.SEVERAL_NAMED)
    by_name = stands(on_aspnet("app"), observed, expected=[SDK], stages=[ASPNET], is_open=True)
    assert not by_name.is_current


def test_of_several_named_bases_that_show_its_layers_one_that_goes_on_showing_them_proves_nothing() -> None:
    """It may as well be built from the mirror, which is late, as from what that is a copy of."""
    mirror = replace(ASPNET, registry="registry.contoso.com")
    late = [shown(on_aspnet()), shown(on_aspnet(), base=mirror), shown(image("os", "aspnet 2"), hours=24)]
    standing = stands(on_aspnet("app"), ObservedLayers(late), expected=[ASPNET, mirror])
    assert (standing.state, standing.doubt) == (ImageState.CLAIMED, Doubt.SEVERAL_NAMED)
    assert stands(on_aspnet("app"), ObservedLayers(late), expected=[mirror]).is_current
    both = [*late, shown(image("os", "aspnet 2"), base=mirror, hours=25)]
    assert stands(image("os", "aspnet 2", "app"), ObservedLayers(both), expected=[ASPNET, mirror]).is_current
    assert stands(on_aspnet("app"), ObservedLayers(both), expected=[ASPNET, mirror]).state is ImageState.BEHIND


def verified(uri: str, seen: Observation) -> Provenance:
    return Provenance("", (Material(uri, frozenset({seen.digest or ""})),), Material("", frozenset()))


SDK_URI = "pkg:docker/mcr.microsoft.com/dotnet/sdk@10.0?platform=linux%2Famd64"


def test_an_image_from_scratch_is_not_current_by_the_stage_that_its_files_were_made_in() -> None:
    seen = shown(on_aspnet("sdk"), base=SDK)
    said = of_provenance(verified(SDK_URI, seen), [], is_verified=True)
    standing = stands(image("app"), ObservedLayers([seen]), [said], stages=[SDK])
    assert standing.state is ImageState.CLAIMED
    alone = stands(image("app"), ObservedLayers([seen]), [said])
    assert alone.state is ImageState.CLAIMED


def test_a_squashed_image_is_current_by_signed_provenance_that_names_its_base() -> None:
    seen = shown(on_aspnet())
    uri = "pkg:docker/mcr.microsoft.com/dotnet/aspnet@10.0?platform=linux%2Famd64"
    said = of_provenance(verified(uri, seen), [ASPNET], is_verified=True)
    assert stands(image("all in one"), ObservedLayers([seen]), [said], expected=[ASPNET], stages=[SDK]).is_current


def test_a_stage_that_is_built_by_name_stands_on_its_own_base() -> None:
    observed = ObservedLayers([shown(on_aspnet()), shown(on_aspnet("sdk"), base=SDK)])
    assert stands(on_aspnet("sdk", "tests"), observed, expected=[ASPNET], stages=[SDK]).is_current


def test_another_tag_of_the_base_is_not_the_base() -> None:
    nine = replace(ASPNET, tag="9.0")
    observed = ObservedLayers([shown(on_aspnet(), base=nine), shown(image("os", "aspnet ten"))])
    standing = stands(on_aspnet("app"), observed, expected=[ASPNET])
    assert (standing.state, standing.built_from) == (ImageState.UNSEEN_BUILD, ASPNET)
    assert standing.told(NOON) == (
        "aspnet:9.0 of 2026-03-10 where its files name aspnet:10.0, as it is now, proved by 2 layers"
    )


def test_a_variable_of_another_version_contradicts_the_layers() -> None:
    below = declares(on_aspnet(), ASPNET_VERSION="10.0.9")
    observed = ObservedLayers([with_platform(shown(on_aspnet()), below)])
    older = stands(declares(on_aspnet("app"), ASPNET_VERSION="10.0.8"), observed, expected=[ASPNET])
    assert (older.state, older.strength) == (ImageState.CONTRADICTED, Strength.CONTRADICTED)
    assert older.told(NOON).endswith(
        "but its configuration has ASPNET_VERSION=10.0.8, and its base declares 10.0.9"
    )
    assert stands(declares(on_aspnet("app"), ASPNET_VERSION="10.0.9"), observed, expected=[ASPNET]).is_current


def test_what_one_tag_tells_of_an_image_is_not_lost_where_another_shows_it_and_tells_less() -> None:
    """An inventory tells layers alone."""
    below = declares(on_aspnet(), "base", ASPNET_VERSION="10.0.9")
    told, less = with_platform(shown(on_aspnet()), below), shown(on_aspnet(), base=SDK, hours=1)
    for seen in ([told, less], [replace(less, base=SDK, at=NOON - timedelta(hours=1)), told]):
        older = declares(on_aspnet("app"), ASPNET_VERSION="10.0.8")
        assert stands(older, ObservedLayers(seen), expected=[ASPNET]).state is ImageState.CONTRADICTED


def test_a_variable_that_is_not_there_contradicts_nothing() -> None:
    below = declares(on_aspnet(), ASPNET_VERSION="10.0.9")
    observed = ObservedLayers([with_platform(shown(on_aspnet()), below)])
    assert stands(declares(on_aspnet("app")), observed, expected=[ASPNET]).is_current
    assert stands(on_aspnet("app"), observed, expected=[ASPNET]).is_current


def test_a_variable_that_the_dockerfile_sets_itself_contradicts_nothing() -> None:
    below = declares(on_aspnet(), "base", ASPNET_VERSION="10.0.9")
    observed = ObservedLayers([with_platform(shown(on_aspnet()), below)])
    built = replace(on_aspnet("app"), history=("base", "own"))
    sets = replace(built, versions=(DeclaredVersion("ASPNET_VERSION", "1", step=1),))
    assert stands(sets, observed, expected=[ASPNET]).is_current
    of_base = replace(built, versions=(DeclaredVersion("ASPNET_VERSION", "1", step=0),))
    assert stands(of_base, observed, expected=[ASPNET]).state is ImageState.CONTRADICTED


def test_a_digest_that_is_named_and_whose_layers_it_lacks_contradicts_them() -> None:
    other = shown(image("os", "aspnet 2"), base=SDK)
    said = of_annotations({"org.opencontainers.image.base.digest": other.digest or ""})
    standing = stands(on_aspnet("app"), ObservedLayers([shown(on_aspnet()), other]), [said], expected=[ASPNET])
    assert standing.state is ImageState.CONTRADICTED


def alike(*steps: str, name: str, hours: int) -> Observation:
    """A publication whose layers are those of all others, with a configuration of its own."""
    return shown(replace(on_aspnet(), digest=digest(name), history=steps), hours=hours)


def test_publications_with_the_same_layers_are_told_apart_by_their_history() -> None:
    observed = ObservedLayers([alike("first", name="one", hours=0), alike("second", name="two", hours=24)])
    old = stands(replace(on_aspnet("app"), history=("first", "own")), observed, expected=[ASPNET])
    new = stands(replace(on_aspnet("app"), history=("second", "own")), observed, expected=[ASPNET])
    assert (old.state, new.state) == (ImageState.BEHIND, ImageState.CURRENT)


def test_where_the_history_is_the_same_too_its_bytes_are_the_newests() -> None:
    observed = ObservedLayers([alike("same", name="one", hours=0), alike("same", name="two", hours=24)])
    standing = stands(replace(on_aspnet("app"), history=("same", "own")), observed, expected=[ASPNET])
    assert standing.is_current
    assert "one of several that look alike, current, since its bytes are the newest's" in standing.told(NOON)


SDK_SHOWS = with_platform(shown(on_aspnet("sdk"), base=SDK), declares(on_aspnet("sdk"), DOTNET_VERSION="10.0.9"))


def on_deps(*runtimes: str) -> ImageState:
    observed = ObservedLayers([OS, SDK_SHOWS])
    return stands(image("os", "app"), observed, expected=[DEPS], stages=[SDK], runtimes=runtimes).state


def test_the_runtime_that_an_application_brings_itself_has_to_be_proved_too() -> None:
    assert on_deps() is ImageState.CLAIMED
    assert on_deps("10.0.9") is ImageState.CURRENT
    assert on_deps("10.0.8") is ImageState.BEHIND
    assert on_deps("10.0.9", "10.0.8") is ImageState.BEHIND
    assert on_deps("9.0.20") is ImageState.CLAIMED


def test_an_old_runtime_is_behind_since_its_sdk_shipped_a_newer_one() -> None:
    newer = declares(on_aspnet("sdk 2"), DOTNET_VERSION="10.0.10")
    observed = ObservedLayers([OS, SDK_SHOWS, with_platform(shown(on_aspnet("sdk 2"), base=SDK, hours=24), newer)])
    standing = stands(image("os", "app"), observed, expected=[DEPS], stages=[SDK], runtimes=["10.0.9"])
    assert standing.behind_since == NOON + timedelta(hours=24)
    assert standing.told(NOON + timedelta(hours=48)).endswith(".NET 10.0.9 inside, 24 h behind by its packages")


def test_signed_provenance_that_names_the_sdk_proves_the_runtime_that_was_compiled_in() -> None:
    uri = "pkg:docker/mcr.microsoft.com/dotnet/sdk@10.0?platform=linux%2Famd64"
    material = Material(uri, frozenset({SDK_SHOWS.digest or ""}))
    stages = stages_of(Provenance("", (material,), Material("", frozenset())))
    observed = ObservedLayers([OS, SDK_SHOWS])
    standing = stands(image("os", "app"), observed, stages, expected=[DEPS], stages=[SDK])
    assert standing.is_current
    assert ".NET 10.0.9 inside, current by provenance that names its SDK" in standing.told(NOON)
