"""What a configuration tells of its base: which of those with the same layers, and what contradicts them."""

from dataclasses import replace

import pytest

from bot.domain.bases.observation import DeclaredVersion, PlatformImage
from bot.images.standing.deciding import contradiction, told_apart
from tests.unit.images.standing.world import digest, image

BELOW = replace(image("os"), history=("base",), versions=(DeclaredVersion("ASPNET_VERSION", "10.0.9", 0),))


def below(name: str, *steps: str) -> PlatformImage:
    return replace(BELOW, digest=digest(name), history=steps)


def built(*steps: str, versions: tuple[DeclaredVersion, ...] | None = ()) -> PlatformImage:
    return replace(image("os", "app"), history=steps, versions=versions)


def declares(value: str, step: int | None, *steps: str) -> PlatformImage:
    return built(*steps, versions=(DeclaredVersion("ASPNET_VERSION", value, step),))


def test_those_whose_history_the_image_begins_with_are_told_apart_from_others() -> None:
    one, two = below("one", "first"), below("two", "second")
    assert told_apart(built("second", "app"), [one, two]) == [two]


def test_where_no_history_fits_all_of_them_may_be_it() -> None:
    both = [below("one", "first"), below("two", "second")]
    assert told_apart(built("third", "app"), both) == both
    assert told_apart(built(), both) == both
    assert told_apart(built(), [both[0], below("silent")]) == [both[0], below("silent")]


def test_a_history_that_is_not_known_is_not_one_that_fits() -> None:
    known, unknown = below("one", "first"), below("two")
    assert told_apart(built("first", "app"), [unknown, known]) == [known]
    longer = below("three", "first", "second")
    assert told_apart(built("first", "second", "app"), [known, longer, unknown]) == [longer]


def test_of_those_that_fit_the_longest_history_is_meant() -> None:
    short, long = below("one", "first"), below("two", "first", "second")
    assert told_apart(built("first", "second", "app"), [short, long]) == [long]
    assert told_apart(built("first", "other"), [short, long]) == [short]


def test_several_that_fit_alike_stay() -> None:
    both = [below("one", "first"), below("two", "first")]
    assert told_apart(built("first", "app"), both) == both


def test_nothing_is_contradicted_where_nothing_is_shown_or_declared() -> None:
    assert contradiction(declares("10.0.8", None), []) == ""
    assert contradiction(declares("10.0.8", None, "base"), []) == ""
    assert contradiction(built(versions=None), [BELOW]) == ""
    assert contradiction(declares("10.0.8", None), [replace(BELOW, versions=None)]) == ""
    assert contradiction(built(), [BELOW]) == ""


def test_the_same_value_contradicts_nothing_and_another_does() -> None:
    assert contradiction(declares("10.0.9", None), [BELOW]) == ""
    told = contradiction(declares("10.0.8", None), [BELOW])
    assert told == "its configuration has ASPNET_VERSION=10.0.8, and its base declares 10.0.9"


def test_a_variable_that_its_base_has_not_contradicts_it() -> None:
    told = contradiction(declares("10.0.8", None), [replace(BELOW, versions=())])
    assert told == "its configuration has ASPNET_VERSION=10.0.8, and its base declares none"
    other = built("base", versions=(DeclaredVersion("DOTNET_VERSION", "10.0.9"),))
    assert (
        contradiction(other, [BELOW]) == "its configuration has DOTNET_VERSION=10.0.9, and its base declares none"
    )


def test_every_variable_is_compared() -> None:
    both = (DeclaredVersion("ASPNET_VERSION", "10.0.9"), DeclaredVersion("DOTNET_VERSION", "10.0.8"))
    assert "DOTNET_VERSION=10.0.8" in contradiction(built(versions=both), [BELOW])


def test_one_of_its_own_hides_no_other() -> None:
    same, older = DeclaredVersion("ASPNET_VERSION", "10.0.9"), DeclaredVersion("DOTNET_VERSION", "10.0.8")
    on = replace(BELOW, versions=(same, DeclaredVersion("DOTNET_VERSION", "10.0.9")))
    image_of = built("base", "own", versions=(DeclaredVersion("OWN", "1", 1), same, older))
    told = contradiction(image_of, [on])
    assert told == "its configuration has DOTNET_VERSION=10.0.8, and its base declares 10.0.9"


def test_one_that_agrees_of_several_is_enough() -> None:
    other = replace(BELOW, versions=(DeclaredVersion("ASPNET_VERSION", "10.0.8"),))
    for either in ([BELOW, other], [other, BELOW]):
        assert contradiction(declares("10.0.8", None), either) == ""
    told = contradiction(declares("10.0.7", None), [BELOW, other])
    assert told.endswith("its base declares 10.0.9")


@pytest.mark.parametrize(
    ("steps", "step", "is_its_own"),
    [
        (("base", "own"), 1, True),
        (("base", "own", "more"), 2, True),
        (("base", "own"), 0, False),
        (("base", "own"), None, False),
        (("other", "own"), 1, False),
        ((), 1, False),
    ],
)
def test_a_step_of_its_own_sets_a_variable_and_one_of_its_base_does_not(
    steps: tuple[str, ...], step: int | None, is_its_own: bool
) -> None:
    assert bool(contradiction(declares("1", step, *steps), [BELOW])) is not is_its_own


def test_where_its_base_has_no_history_no_step_is_known_to_be_its_own() -> None:
    for step, steps in ((1, ("base", "own")), (0, ("own",))):
        told = contradiction(declares("10.0.8", step, *steps), [replace(BELOW, history=())])
        assert told == "its configuration has ASPNET_VERSION=10.0.8, and its base declares 10.0.9"
