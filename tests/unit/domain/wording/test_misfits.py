from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from bot.domain.wording.misfits import did_you_mean, misfit, nearest


def told(kind: Any, value: object) -> str:
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(kind).validate_python(value)
    return misfit(raised.value)


def test_a_defect_is_told_with_its_place_and_others_are_counted() -> None:
    assert told(dict[str, int], {"a": "x", "b": "y"}).startswith("a: Input should be a valid integer")
    assert told(dict[str, int], {"a": "x", "b": "y"}).endswith(" (and 1 more)")


def test_a_defect_of_the_whole_has_no_place() -> None:
    assert told(dict[str, int], 7) == "Input should be a valid dictionary"


FLEET = ["contoso/shop", "contoso/shop-api", "contoso/ledger", "Contoso/Pricing"]


def test_a_part_of_a_name_finds_those_that_begin_with_it_the_shortest_first() -> None:
    assert nearest("shop", FLEET) == ["contoso/shop", "contoso/shop-api"]
    assert nearest("aspnet", ["aspnet:10.0-noble", "aspnet:8.0", "sdk:8.0"]) == ["aspnet:8.0", "aspnet:10.0-noble"]


def test_a_slip_finds_what_is_spelt_nearly_so() -> None:
    assert nearest("contoso/legder", FLEET) == ["contoso/ledger"]


def test_capitals_make_no_difference_and_stay_as_they_are_known() -> None:
    assert nearest("contoso/pricing", FLEET) == ["Contoso/Pricing"]


def test_what_is_nothing_like_any_finds_none() -> None:
    assert nearest("fabrikam/billing", FLEET) == []
    assert nearest("contoso/absent", ["contoso/website"]) == []
    assert nearest("", FLEET) == []
    assert nearest("contoso/shop", []) == []


def test_at_most_three_are_offered() -> None:
    assert len(nearest("a", [f"x/a{number}" for number in range(9)])) == 3


def test_the_advice_names_them_or_says_what_else_to_do() -> None:
    assert did_you_mean("shop", FLEET, "see status") == "did you mean contoso/shop or contoso/shop-api?"
    assert did_you_mean("fabrikam", FLEET, "see status") == "see status"
