from bot.fleet.plan.deciding import why_back, why_held
from bot.fleet.plan.due import Beginning
from tests.unit.fleet.plan.world import ASPNET, NOON, SDK


def test_bases_that_are_back_are_named_once_in_order() -> None:
    assert why_back([SDK, ASPNET, ASPNET]) == (
        "aspnet:10.0, sdk:10.0 is back at the digest that it had before it moved, and nothing was rebuilt meanwhile"
    )


def test_what_puts_the_beginning_off_ends_the_reason() -> None:
    assert why_held(Beginning(NOON, "frozen: year end")) == "; frozen: year end"
    assert why_held(Beginning(NOON)) == ""
