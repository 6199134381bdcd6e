from datetime import timedelta

import pytest

from bot.domain.evidence import Strength
from bot.domain.images.standing import Basis, ImageStanding, ImageState, Publication, state_of
from tests.builders import ASPNET, NOON


def standing(strength: Strength, *, until_later: bool = False, known: bool = True) -> ImageStanding:
    """One platform on a publication that its base still shows, or showed until an hour later."""
    until = NOON + timedelta(hours=1) if until_later else None
    shown = Publication(ASPNET, NOON, "sha256:a", "linux/amd64", "sha256:b", until)
    return ImageStanding("linux/amd64", strength, Basis.LAYERS, (shown,) if known else ())


PROVED = standing(Strength.PROVED)
CLAIMED = standing(Strength.CLAIMED)
UNKNOWN = ImageStanding("linux/arm64")


@pytest.mark.parametrize(
    ("standings", "state"),
    [
        ((PROVED, PROVED), ImageState.CURRENT),
        ((PROVED, CLAIMED), ImageState.CLAIMED),
        ((PROVED, UNKNOWN), ImageState.UNKNOWN),
        ((standing(Strength.CLAIMED, known=False),), ImageState.UNKNOWN),
        ((), ImageState.UNKNOWN),
        ((PROVED, standing(Strength.CONTRADICTED)), ImageState.CONTRADICTED),
        ((UNKNOWN, standing(Strength.PROVED, until_later=True)), ImageState.BEHIND),
    ],
)
def test_an_image_is_current_only_where_that_is_proved_of_every_platform(
    standings: tuple[ImageStanding, ...], state: ImageState
) -> None:
    assert state_of(standings) is state
