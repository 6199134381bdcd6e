"""What the signatures of a digest show, and what an image lacks."""

from bot.domain.evidence import Strength
from bot.domain.images.trust import Lack, Trust


def test_what_an_image_lacks_is_awaited_only_where_that_is_said() -> None:
    assert Lack("a signature").may_come is False


def test_only_what_is_proved_holds() -> None:
    assert [Trust(strength, "").holds for strength in Strength] == [True, False, False, False]
    assert Trust(Strength.PROVED, "").is_there
