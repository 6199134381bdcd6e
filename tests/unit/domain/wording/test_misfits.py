from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from bot.domain.wording.misfits import misfit


def told(kind: Any, value: object) -> str:
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(kind).validate_python(value)
    return misfit(raised.value)


def test_a_defect_is_told_with_its_place_and_others_are_counted() -> None:
    assert told(dict[str, int], {"a": "x", "b": "y"}).startswith("a: Input should be a valid integer")
    assert told(dict[str, int], {"a": "x", "b": "y"}).endswith(" (and 1 more)")


def test_a_defect_of_the_whole_has_no_place() -> None:
    assert told(dict[str, int], 7) == "Input should be a valid dictionary"
