"""What a configuration tells of the base, beside the layers."""

from dataclasses import replace

from bot.domain.bases.observation import PlatformImage
from bot.verify.standing.witnesses import told_apart
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
