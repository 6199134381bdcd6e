import pytest

from bot.domain.failure import Failure
from bot.domain.reference import Base
from bot.store.engine.codec import load, load_text


def test_what_does_not_fit_is_told_with_its_place_and_others_are_counted() -> None:
    with pytest.raises(Failure) as raised:
        load({"registry": "mcr.microsoft.com"}, Base)
    told = "a stored Base cannot be read: repository: Field required (and 1 more)"
    assert str(raised.value).startswith(told)


def test_a_value_of_another_shape_has_no_place_to_tell() -> None:
    with pytest.raises(Failure, match=r"^a stored Base cannot be read: Input should be "):
        load_text("7", Base)
