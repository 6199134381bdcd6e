"""What a configuration tells of the base, beside the layers."""

from dataclasses import replace

import pytest

from bot.domain.bases.observation import DeclaredVersion, PlatformImage
from bot.verify.standing.witnesses import contradiction, told_apart
from tests.unit.verify.standing.world import image

SHORTER = replace(image("os"), history=("os",))
LONGER = replace(image("os", "aspnet"), history=("os", "aspnet"))
SILENT = image("silent")


def built(*steps: str) -> PlatformImage:
    return replace(image("app"), history=steps)


def test_of_histories_that_an_image_begins_with_the_longest_is_its_bases() -> None:
    assert told_apart(built("os", "aspnet", "own"), [SHORTER, LONGER, SILENT]) == [LONGER]
    assert told_apart(built("os", "own"), [SHORTER, LONGER, SILENT]) == [SHORTER]


def test_where_an_image_begins_with_no_history_of_them_all_remain() -> None:
    assert told_apart(built("other"), [SHORTER, LONGER]) == [SHORTER, LONGER]
    assert told_apart(built(), [SHORTER, SILENT]) == [SHORTER, SILENT]


def declares(value: str, *steps: str, step: int | None = None, name: str = "ASPNET_VERSION") -> PlatformImage:
    return replace(built(*steps), versions=(DeclaredVersion(name, value, step),))


@pytest.mark.parametrize(
    ("steps", "step", "is_its_own"),
    [
        (("os", "own"), 1, True),
        (("os", "own", "more"), 2, True),
        (("os", "own"), 0, False),
        (("os", "own"), None, False),
        (("other", "own"), 1, False),
        ((), 1, False),
    ],
)
def test_a_variable_is_the_images_own_where_a_step_sets_it_that_its_base_has_not(
    steps: tuple[str, ...], step: int | None, is_its_own: bool
) -> None:
    below = declares("10.0.9", "os")
    assert bool(contradiction(declares("1", *steps, step=step), [below])) is not is_its_own


def test_where_a_base_has_no_history_no_step_is_known_to_be_the_images_own() -> None:
    told = contradiction(declares("10.0.8", "own", step=0), [declares("10.0.9")])
    assert told == "its configuration has ASPNET_VERSION=10.0.8, and its base declares 10.0.9"


def test_a_variable_that_no_step_of_an_image_sets_and_its_base_has_not_contradicts() -> None:
    below = declares("10.0.9", "os")
    told = contradiction(declares("10.0.9", "os", name="DOTNET_VERSION"), [below])
    assert told == "its configuration has DOTNET_VERSION=10.0.9, and its base declares none"


def test_each_variable_is_compared() -> None:
    own, same = DeclaredVersion("OWN", "1", step=1), DeclaredVersion("ASPNET_VERSION", "10.0.9")
    below = replace(declares("10.0.9", "os"), versions=(same, DeclaredVersion("DOTNET_VERSION", "10.0.9")))
    other = DeclaredVersion("DOTNET_VERSION", "10.0.8")
    assert contradiction(replace(built("os", "own"), versions=(own, same, other)), [below]) == (
        "its configuration has DOTNET_VERSION=10.0.8, and its base declares 10.0.9"
    )


def test_an_image_contradicts_its_layers_where_it_contradicts_every_base_that_they_may_be() -> None:
    one, other = declares("10.0.9", "os"), declares("10.0.10", "os")
    assert contradiction(declares("10.0.9", "os"), [one, other]) == ""
    assert contradiction(declares("10.0.9", "os"), [other, one]) == ""
    assert contradiction(declares("10.0.8", "os"), [one, other]).endswith("its base declares 10.0.9")
    assert contradiction(declares("10.0.8", "os"), []) == ""


def test_what_was_not_asked_for_its_variables_contradicts_nothing() -> None:
    assert contradiction(built("os"), [declares("10.0.9", "os")]) == ""
    assert contradiction(declares("10.0.8", "os"), [built("os")]) == ""
