"""What proves the .NET runtime that an application on `runtime-deps` brings itself."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.domain.bases.observation import DeclaredVersion, Observation
from bot.domain.images.runtime_inside import RuntimeInside
from bot.domain.images.standing import Basis, Declaration, Doubt
from bot.domain.reference import Base
from bot.verify.standing.deciding import Witnesses, standing_of
from bot.verify.standing.observed_layers import ObservedLayers
from tests.builders import ASPNET, NOON, SDK
from tests.unit.verify.standing.world import image, shown, stands

DEPS = Base("mcr.microsoft.com", "dotnet/runtime-deps", "10.0")
OS = shown(image("os"), base=DEPS)


def ships(version: str, base: Base = SDK, hours: int = 0) -> Observation:
    """The base shows an image with this version of the runtime, or with none that it declares."""
    versions = (DeclaredVersion("DOTNET_VERSION", version),) if version else ()
    return shown(replace(image("os", f"{base} {hours}"), versions=versions), base=base, hours=hours)


def inside(
    *seen: Observation,
    declared: Sequence[Declaration] = (),
    runtimes: Collection[str] = (),
    stages: Collection[Base] = (SDK,),
) -> RuntimeInside | None:
    observed = ObservedLayers([OS, *seen])
    standing = stands(image("os", "app"), observed, declared, expected=[DEPS], stages=stages, runtimes=runtimes)
    return standing.inside


def names(seen: Observation, basis: Basis = Basis.VERIFIED_PROVENANCE) -> Declaration:
    """Provenance that names what was seen as the image of a stage."""
    return Declaration(basis, str(seen.base), frozenset({seen.digest or ""}), is_stage=True)


NOTHING_SHOWS = RuntimeInside()
UNMEASURED = "no SDK of its channel that its files name was seen"


def test_a_base_that_brings_the_runtime_leaves_nothing_to_prove() -> None:
    observed = ObservedLayers([shown(image("os", "aspnet"))])
    assert stands(image("os", "aspnet", "app"), observed, expected=[ASPNET]).inside is None


def test_over_a_build_that_was_not_seen_nothing_is_said_of_the_runtime() -> None:
    assert stands(image("os", "app"), ObservedLayers([OS]), expected=[ASPNET]).inside is None


def test_where_no_file_names_anything_nothing_shows_of_the_runtime() -> None:
    standing = standing_of(image("os", "app"), ObservedLayers([OS]), Witnesses())
    assert (standing.doubt, standing.inside) == (Doubt.NO_BASE_NAMED, NOTHING_SHOWS)


def test_the_runtime_of_the_named_sdk_is_current_while_the_sdk_is() -> None:
    old, new = ships("10.0.8"), ships("10.0.9", hours=24)
    assert inside(old, new, declared=[names(new)]) == RuntimeInside(
        "10.0.9", "provenance that names its SDK", is_current=True, is_signed=True
    )


def test_the_runtime_of_the_named_sdk_is_behind_since_the_sdk_showed_another() -> None:
    old, new, newer = ships("10.0.8"), ships("10.0.9", hours=24), ships("10.0.10", hours=48)
    assert inside(old, new, newer, declared=[names(old)]) == RuntimeInside(
        "10.0.8", "provenance that names its SDK", behind_since=NOON + timedelta(hours=24), is_signed=True
    )
    assert inside(old, new, newer, declared=[names(old), names(new)]) == RuntimeInside(
        "10.0.8", "provenance that names its SDK", behind_since=NOON + timedelta(hours=48), is_signed=True
    )


def test_a_named_sdk_that_declares_no_version_proves_a_runtime_of_which_no_version_is_told() -> None:
    seen = ships("")
    assert inside(seen, declared=[names(seen)]) == RuntimeInside(
        "", "provenance that names its SDK", is_current=True, is_signed=True
    )


def test_a_named_sdk_that_was_not_asked_for_its_variables_is_taken_for_one_that_declares_none() -> None:
    seen = shown(image("os", "sdk"), base=SDK)
    told = inside(seen, declared=[names(seen)], runtimes=["10.0.9"])
    assert told is not None
    assert (told.version, told.is_current) == ("", True)
    assert inside(seen, runtimes=["10.0.9"]) == RuntimeInside("10.0.9", UNMEASURED)


def test_what_an_sdk_declares_beside_its_runtime_is_not_the_runtimes_version() -> None:
    versions = (DeclaredVersion("ASPNET_VERSION", "10.0.10"), DeclaredVersion("DOTNET_VERSION", "10.0.9"))
    seen = shown(replace(image("os", "sdk"), versions=versions), base=SDK)
    assert inside(seen, runtimes=["10.0.9"]) == RuntimeInside("10.0.9", "its packages", is_current=True)


def test_provenance_that_nobody_signed_proves_no_runtime() -> None:
    seen = ships("10.0.9")
    assert inside(seen, declared=[names(seen, Basis.UNSIGNED_PROVENANCE)]) == NOTHING_SHOWS


def test_a_base_that_provenance_names_is_not_the_sdk_that_compiled() -> None:
    seen = ships("10.0.9")
    assert inside(seen, declared=[replace(names(seen), is_stage=False)], stages=()) == NOTHING_SHOWS


def test_a_stage_that_is_no_sdk_compiles_nothing() -> None:
    seen = ships("10.0.9", base=ASPNET)
    assert inside(seen, declared=[names(seen)]) == NOTHING_SHOWS


def test_the_packages_of_a_stage_that_is_no_sdk_are_no_measure() -> None:
    seen = ships("10.0.9", base=ASPNET)
    assert inside(seen, runtimes=["10.0.9"], stages=[ASPNET]) == RuntimeInside("10.0.9", UNMEASURED)


def test_an_sdk_of_another_channel_is_no_measure() -> None:
    assert inside(ships("10.0.9"), runtimes=["10.1.9"]) == RuntimeInside("10.1.9", UNMEASURED)


def test_an_sdk_that_shows_its_channel_no_more_is_no_measure() -> None:
    old, other = ships("9.0.9"), ships("10.0.0", hours=24)
    assert inside(old, other, runtimes=["9.0.9"]) == RuntimeInside("9.0.9", UNMEASURED)


def test_the_oldest_runtime_inside_counts() -> None:
    seen = ships("10.0.9")
    assert inside(seen, runtimes=["10.0.10", "10.0.9"]) == RuntimeInside("10.0.9", "its packages", is_current=True)


def test_a_runtime_is_behind_since_the_first_newer_one_was_shipped() -> None:
    old, new, newer = ships("10.0.8"), ships("10.0.9", hours=24), ships("10.0.10", hours=48)
    assert inside(old, new, newer, runtimes=["10.0.8"]) == RuntimeInside(
        "10.0.8", "its packages", behind_since=NOON + timedelta(hours=24)
    )
