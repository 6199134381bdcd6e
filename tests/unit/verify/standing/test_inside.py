"""The .NET runtime that an application brings itself, and what shows how old it is."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.bases.observation import DeclaredVersion, Observation
from bot.domain.images.runtime_inside import RuntimeInside
from bot.domain.images.standing import Basis, Declaration, ImageStanding, ImageState
from bot.domain.reference import Base
from bot.verify.standing.observed_layers import ObservedLayers
from tests.builders import NOON, SDK
from tests.unit.verify.standing.world import image, shown, stands

DEPS = Base("mcr.microsoft.com", "dotnet/runtime-deps", "10.0")
GOLDEN = Base("ghcr.io", "contoso/golden", "latest")
NINE = replace(SDK, tag="9.0")
OS = shown(image("os"), base=DEPS)
HOURS = timedelta(hours=1)


def sdk(version: str, *, base: Base = SDK, hours: int = 0) -> Observation:
    """An SDK that ships that runtime."""
    seen = shown(image("os", "sdk", version), base=base, hours=hours)
    declares = (DeclaredVersion("DOTNET_VERSION", version),)
    return replace(seen, platforms=tuple(replace(each, versions=declares) for each in seen.platforms))


def names(*seen: Observation) -> list[Declaration]:
    """What signed provenance says that went into the build."""
    return [
        Declaration(Basis.VERIFIED_PROVENANCE, str(each.base), frozenset({each.digest or ""}), is_stage=True)
        for each in seen
    ]


def on_deps(
    *seen: Observation, runtimes: tuple[str, ...] = (), said: tuple[Declaration, ...] = ()
) -> RuntimeInside:
    stages = {each.base for each in seen}
    standing = stands(
        image("os", "app"), ObservedLayers([OS, *seen]), said, expected=[DEPS], stages=stages, runtimes=runtimes
    )
    assert standing.inside is not None
    return standing.inside


def test_every_sdk_that_signed_provenance_names_has_to_be_shown_now() -> None:
    old, new = sdk("10.0.8"), sdk("10.0.9", hours=24)
    other = sdk("9.0.20", base=NINE)
    assert on_deps(old, new, other, said=tuple(names(new, other))).is_current
    assert on_deps(old, new, other, said=tuple(names(old, other))) == RuntimeInside()
    stale = on_deps(old, new, other, said=tuple(names(old)))
    assert (stale.is_current, stale.behind_since) == (False, NOON + 24 * HOURS)


def test_an_sdk_that_signed_provenance_names_and_nobody_saw_proves_nothing() -> None:
    new, unseen = sdk("10.0.9"), sdk("10.0.8", hours=24)
    mixed = on_deps(sdk("9.0.20", base=NINE), new, said=tuple(names(new, unseen)))
    assert (mixed.is_current, mixed.behind_since) == (False, None)
    by_packages = on_deps(new, said=tuple(names(unseen)), runtimes=("10.0.9",))
    assert by_packages.is_current


def test_a_stage_that_is_no_sdk_tells_nothing_of_the_runtime() -> None:
    assert on_deps(sdk("10.0.9"), said=tuple(names(OS))) == RuntimeInside()


def test_unsigned_provenance_tells_nothing_of_the_runtime() -> None:
    new = sdk("10.0.9")
    assert on_deps(new, said=tuple(each.unsigned for each in names(new))) == RuntimeInside()


def test_provenance_that_is_signed_tells_before_packages_do() -> None:
    old, new = sdk("10.0.8"), sdk("10.0.9", hours=24)
    inside = on_deps(old, new, said=tuple(names(old)), runtimes=("10.0.9",))
    assert (inside.version, inside.is_current, inside.is_signed) == ("10.0.8", False, True)


def test_packages_are_held_against_the_sdk_of_their_channel_alone() -> None:
    ten, nine = sdk("10.0.9"), sdk("9.0.20", base=NINE)
    assert on_deps(ten, nine, runtimes=("9.0.20",)).is_current
    assert not on_deps(ten, nine, runtimes=("9.0.19",)).is_current
    unknown = on_deps(ten, runtimes=("9.0.20",))
    assert (unknown.is_current, unknown.behind_since) == (False, None)


def test_what_an_sdk_shipped_once_is_no_measure_where_none_of_the_channel_is_shown_now() -> None:
    gone = Observation(NOON + HOURS, SDK, None)
    inside = on_deps(sdk("10.0.9"), gone, runtimes=("10.0.9",))
    assert (inside.is_current, inside.behind_since) == (False, None)


def test_an_sdk_that_the_files_do_not_name_is_no_measure() -> None:
    observed = ObservedLayers([OS, sdk("10.0.9")])
    standing = stands(image("os", "app"), observed, expected=[DEPS], runtimes=["10.0.9"])
    assert standing.state is ImageState.CLAIMED


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
    observed = ObservedLayers([shown(image("debian"), base=debian), sdk("10.0.9")])
    built = image("debian", "app")
    assert stands(built, observed, expected=[debian], stages=[SDK], runtimes=["10.0.9"]).is_current
    old = stands(built, observed, expected=[debian], stages=[SDK], runtimes=["10.0.8"])
    assert old.state is ImageState.BEHIND
