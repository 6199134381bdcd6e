"""The words for causes, and the lines by which the bot knows its own text again: both stand in open requests."""

import pytest

from bot.domain.bases.change import Cause
from bot.domain.forge.pull_requests import MOST_BODY
from bot.fleet.act.pull_request.text.section import OwnSection, closed, marked_section, section_in
from bot.fleet.act.pull_request.text.wording import LONGEST_BODY, cause_in_words


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (Cause.DOTNET_SECURITY, "a .NET security release"),
        (Cause.DOTNET_RELEASE, "a .NET release without security fixes"),
        (Cause.DOTNET_UNKNOWN, "a .NET version that no release feed lists yet"),
        (Cause.OS_UPDATE, "an update of the operating system layer"),
        (Cause.OS_MOVE, "the tag moved to another distribution"),
        (Cause.CHANNEL_MOVE, "the tag moved to another .NET channel"),
        (Cause.ROLLBACK, "the tag went back to an older version"),
        (Cause.BASE_UPDATE, "a base image of our own was rebuilt"),
        (Cause.LAYERS_ONLY, "rebuilt upper layers, same .NET version and same operating system layer"),
        (Cause.AGE, "age"),
    ],
)
def test_a_cause_is_told_in_words(cause: Cause, told: str) -> None:
    assert cause_in_words(cause) == told


def test_sections_that_earlier_releases_wrote_are_known_again() -> None:
    text = marked_section("The base moved.", ["sha256:a", "sha256:b"], "Refresh")
    assert text == (
        f"<!-- freshness-bot rebuild sha256:a,sha256:b title={section_in(text).titled} -->\nThe base moved.\n"
        "<!-- freshness-bot end -->"
    )
    assert closed(text, "it is done").startswith(
        "<!-- freshness-bot closed -->\n**Closed by the bot:** it is done."
    )
    assert section_in("by hand") == OwnSection(frozenset(), None, False)
    assert section_in("by hand").is_closed_by_us is False


def test_what_the_bot_writes_and_what_a_forge_takes_are_bounded() -> None:
    assert (LONGEST_BODY, MOST_BODY) == (60_000, 65_000)
