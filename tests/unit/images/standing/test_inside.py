"""The .NET runtime that an application brings itself, and what shows how old it is."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.domain.bases.observation import DeclaredVersion, Observation
from bot.domain.images.standing import Basis, Declaration, Doubt, ImageStanding, ImageState, RuntimeInside
from bot.domain.reference import Base
from bot.images.standing.deciding import Witnesses, standing_of
from bot.images.standing.observed_layers import ObservedLayers
from tests.builders import ASPNET, NOON, SDK
from tests.unit.images.standing.world import image, shown, stands

DEPS = Base("mcr.microsoft.com", "dotnet/runtime-deps", "10.0")
GOLDEN = Base("ghcr.io", "contoso/golden", "latest")
NINE = replace(SDK, tag="9.0")
OS = shown(image("os"), base=DEPS)
HOURS = timedelta(hours=1)
NOTHING_SHOWS = RuntimeInside()
PROVENANCE = "provenance that names its SDK"
PACKAGES = "its packages"
UNMEASURED = "no SDK of its channel that its files name was seen"


def ships(version: str, base: Base = SDK, hours: int = 0) -> Observation:
    """The base shows an image with this version of the runtime, or with none that it declares."""
    versions = (DeclaredVersion("DOTNET_VERSION", version),) if version else ()
    return shown(replace(image("os", f"{base} {hours}"), versions=versions), base=base, hours=hours)


def names(seen: Observation, basis: Basis = Basis.VERIFIED_PROVENANCE) -> Declaration:
    """Provenance that names what was seen as the image of a stage."""
    return Declaration(basis, str(seen.base), frozenset({seen.digest or ""}), is_stage=True)


def inside(
    *seen: Observation,
    declared: Sequence[Declaration] = (),
    runtimes: Collection[str] = (),
    stages: Collection[Base] = (SDK,),
) -> RuntimeInside:
    """Of an application on `runtime-deps`, whose files name these stages."""
    observed = ObservedLayers([OS, *seen])
    standing = stands(image("os", "app"), observed, declared, expected=[DEPS], stages=stages, runtimes=runtimes)
    assert standing.inside is not None
    return standing.inside


# Where there is nothing to prove, or nothing shows


def test_a_base_that_brings_the_runtime_leaves_nothing_to_prove() -> None:
    observed = ObservedLayers([shown(image("os", "aspnet"))])
    assert stands(image("os", "aspnet", "app"), observed, expected=[ASPNET]).inside is None


def test_over_a_build_that_was_not_seen_nothing_is_said_of_the_runtime() -> None:
    assert stands(image("os", "app"), ObservedLayers([OS]), expected=[ASPNET]).inside is None


def test_where_no_file_names_anything_nothing_shows_of_the_runtime() -> None:
    standing = standing_of(image("os", "app"), ObservedLayers([OS]), Witnesses())
    assert (standing.doubt, standing.inside) == (Doubt.NO_BASE_NAMED, NOTHING_SHOWS)


# Provenance


def test_the_runtime_of_the_named_sdk_is_current_while_the_sdk_is() -> None:
    old, new = ships("10.0.8"), ships("10.0.9", hours=24)
    told = RuntimeInside("10.0.9", PROVENANCE, is_current=True, is_signed=True)
    assert inside(old, new, declared=[names(new)]) == told


def test_the_runtime_of_the_named_sdk_is_behind_since_the_sdk_showed_another() -> None:
    old, new, newer = ships("10.0.8"), ships("10.0.9", hours=24), ships("10.0.10", hours=48)
    assert inside(old, new, newer, declared=[names(old)]) == RuntimeInside(
        "10.0.8", PROVENANCE, behind_since=NOON + 24 * HOURS, is_signed=True
    )
    assert inside(old, new, newer, declared=[names(old), names(new)]) == RuntimeInside(
        "10.0.8", PROVENANCE, behind_since=NOON + 48 * HOURS, is_signed=True
    )


def test_every_sdk_that_signed_provenance_names_has_to_be_shown_now() -> None:
    old, new, other = ships("10.0.8"), ships("10.0.9", hours=24), ships("9.0.20", base=NINE)
    both = (SDK, NINE)
    assert inside(old, new, other, declared=[names(new), names(other)], stages=both).is_current
    assert inside(old, new, other, declared=[names(old), names(other)], stages=both) == NOTHING_SHOWS
    stale = inside(old, new, other, declared=[names(old)], stages=both)
    assert (stale.is_current, stale.behind_since) == (False, NOON + 24 * HOURS)


def test_an_sdk_that_signed_provenance_names_and_nobody_saw_proves_nothing() -> None:
    new, unseen = ships("10.0.9"), ships("10.0.8", hours=24)
    mixed = inside(ships("9.0.20", base=NINE), new, declared=[names(new), names(unseen)], stages=(SDK, NINE))
    assert (mixed.is_current, mixed.behind_since) == (False, None)
    assert inside(new, declared=[names(unseen)], runtimes=("10.0.9",)).is_current


def test_a_named_sdk_that_declares_no_version_proves_a_runtime_of_which_no_version_is_told() -> None:
    seen = ships("")
    assert inside(seen, declared=[names(seen)]) == RuntimeInside("", PROVENANCE, is_current=True, is_signed=True)


def test_a_named_sdk_that_was_not_asked_for_its_variables_is_taken_for_one_that_declares_none() -> None:
    seen = shown(image("os", "sdk"), base=SDK)
    told = inside(seen, declared=[names(seen)], runtimes=["10.0.9"])
    assert (told.version, told.is_current) == ("", True)
    assert inside(seen, runtimes=["10.0.9"]) == RuntimeInside("10.0.9", UNMEASURED)


def test_provenance_that_nobody_signed_proves_no_runtime() -> None:
    seen = ships("10.0.9")
    assert inside(seen, declared=[names(seen, Basis.UNSIGNED_PROVENANCE)]) == NOTHING_SHOWS
    assert inside(seen, declared=[names(seen).unsigned]) == NOTHING_SHOWS


def test_a_base_that_provenance_names_is_not_the_sdk_that_compiled() -> None:
    seen = ships("10.0.9")
    assert inside(seen, declared=[replace(names(seen), is_stage=False)], stages=()) == NOTHING_SHOWS


def test_a_stage_that_is_no_sdk_compiles_nothing() -> None:
    seen = ships("10.0.9", base=ASPNET)
    assert inside(seen, declared=[names(seen)]) == NOTHING_SHOWS
    assert inside(ships("10.0.9"), declared=[names(OS)]) == NOTHING_SHOWS


def test_provenance_that_is_signed_tells_before_packages_do() -> None:
    old, new = ships("10.0.8"), ships("10.0.9", hours=24)
    told = inside(old, new, declared=[names(old)], runtimes=("10.0.9",))
    assert (told.version, told.is_current, told.is_signed) == ("10.0.8", False, True)


# Packages, held against the SDK that the files name


def test_what_an_sdk_declares_beside_its_runtime_is_not_the_runtimes_version() -> None:
    versions = (DeclaredVersion("ASPNET_VERSION", "10.0.10"), DeclaredVersion("DOTNET_VERSION", "10.0.9"))
    seen = shown(replace(image("os", "sdk"), versions=versions), base=SDK)
    assert inside(seen, runtimes=["10.0.9"]) == RuntimeInside("10.0.9", PACKAGES, is_current=True)


def test_the_packages_of_a_stage_that_is_no_sdk_are_no_measure() -> None:
    seen = ships("10.0.9", base=ASPNET)
    assert inside(seen, runtimes=["10.0.9"], stages=[ASPNET]) == RuntimeInside("10.0.9", UNMEASURED)


def test_packages_are_held_against_the_sdk_of_their_channel_alone() -> None:
    ten, nine, both = ships("10.0.9"), ships("9.0.20", base=NINE), (SDK, NINE)
    assert inside(ten, nine, runtimes=("9.0.20",), stages=both).is_current
    assert not inside(ten, nine, runtimes=("9.0.19",), stages=both).is_current
    for channel in ("9.0.20", "10.1.9"):
        assert inside(ten, runtimes=(channel,)) == RuntimeInside(channel, UNMEASURED)


def test_an_sdk_that_shows_its_channel_no_more_is_no_measure() -> None:
    old, other = ships("9.0.9"), ships("10.0.0", hours=24)
    assert inside(old, other, runtimes=["9.0.9"]) == RuntimeInside("9.0.9", UNMEASURED)


def test_what_an_sdk_shipped_once_is_no_measure_where_none_of_the_channel_is_shown_now() -> None:
    gone = Observation(NOON + HOURS, SDK, None)
    told = inside(ships("10.0.9"), gone, runtimes=("10.0.9",))
    assert (told.is_current, told.behind_since) == (False, None)


def test_the_oldest_runtime_inside_counts() -> None:
    told = inside(ships("10.0.9"), runtimes=["10.0.10", "10.0.9"])
    assert told == RuntimeInside("10.0.9", PACKAGES, is_current=True)


def test_a_runtime_is_behind_since_the_first_newer_one_was_shipped() -> None:
    old, new, newer = ships("10.0.8"), ships("10.0.9", hours=24), ships("10.0.10", hours=48)
    told = inside(old, new, newer, runtimes=["10.0.8"])
    assert told == RuntimeInside("10.0.8", PACKAGES, behind_since=NOON + 24 * HOURS)


def test_an_sdk_that_the_files_do_not_name_is_no_measure() -> None:
    observed = ObservedLayers([OS, ships("10.0.9")])
    standing = stands(image("os", "app"), observed, expected=[DEPS], runtimes=["10.0.9"])
    assert standing.state is ImageState.CLAIMED


# Which bases bring the runtime


def on_golden(*below: str, versions: tuple[DeclaredVersion, ...] | None = ()) -> ImageStanding:
    """An application on a base of our own that stands on these layers."""
    own = replace(image(*below, "golden"), versions=versions)
    golden = shown(own, base=GOLDEN)
    golden = replace(golden, platforms=(own,))
    observed = ObservedLayers([OS, shown(image("os", "aspnet")), golden])
    return stands(image(*below, "golden", "app"), observed, expected=[GOLDEN], stages=[SDK])


def test_an_application_on_an_own_base_over_runtime_deps_brings_its_runtime_too() -> None:
    assert on_golden("os").state is ImageState.CLAIMED
    assert on_golden("os", versions=None).state is ImageState.CLAIMED


def test_an_own_base_over_aspnet_brings_the_runtime() -> None:
    assert on_golden("os", "aspnet").state is ImageState.CURRENT
    assert on_golden("os", "aspnet", versions=None).state is ImageState.CURRENT


def test_an_own_base_that_declares_a_dotnet_brings_the_runtime() -> None:
    assert on_golden("os", versions=(DeclaredVersion("DOTNET_VERSION", "10.0.9"),)).state is ImageState.CURRENT


def test_an_own_base_over_another_over_runtime_deps_does_not_bring_it() -> None:
    second = Base("ghcr.io", "contoso/web", "latest")
    observed = ObservedLayers(
        [OS, shown(image("os", "golden"), base=GOLDEN), shown(image("os", "golden", "web"), base=second)]
    )
    standing = stands(image("os", "golden", "web", "app"), observed, expected=[second])
    assert standing.state is ImageState.CLAIMED


def test_a_mirror_by_another_name_of_runtime_deps_does_not_bring_it() -> None:
    mirror = Base("registry.contoso.com", "bases/dotnet-os", "10.0")
    observed = ObservedLayers([OS, shown(image("os"), base=mirror)])
    assert stands(image("os", "app"), observed, expected=[mirror]).state is ImageState.CLAIMED


def test_an_application_on_what_holds_no_dotnet_at_all_is_judged_by_that_alone() -> None:
    nginx = Base("docker.io", "library/nginx", "1")
    observed = ObservedLayers([OS, shown(image("nginx"), base=nginx)])
    assert stands(image("nginx", "app"), observed, expected=[nginx]).is_current


def test_packages_tell_of_a_runtime_inside_on_a_base_that_has_nothing_of_dotnet() -> None:
    debian = Base("docker.io", "library/debian", "12")
    observed = ObservedLayers([shown(image("debian"), base=debian), ships("10.0.9")])
    built = image("debian", "app")
    assert stands(built, observed, expected=[debian], stages=[SDK], runtimes=["10.0.9"]).is_current
    old = stands(built, observed, expected=[debian], stages=[SDK], runtimes=["10.0.8"])
    assert old.state is ImageState.BEHIND
