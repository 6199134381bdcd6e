"""A body is never longer than a forge takes, whatever people have written into it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.forge.pull_requests import MOST_BODY
from bot.fleet.act.pull_request.text.section import closed, declined, marked_section, section_in, with_section

DIGEST = "sha256:" + "b" * 64
SECTION = marked_section("The base moved.\n" + "| é | ü |\n" * 6_000, (DIGEST,), "Refresh")
"""As long as the bot writes one, in bytes."""
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="<"), max_size=200).map(lambda text: text * 60)


@given(WORDS, WORDS)
def test_the_bots_own_section_gives_way_to_what_people_write(before: str, after: str) -> None:
    body = with_section(f"{before}\n{SECTION}\n{after}", SECTION)
    for text in (body, closed(body, "no longer wanted"), declined(body, "a person said so")):
        assert len(text.encode()) <= MOST_BODY
        assert text.startswith(before.rstrip("\n"))
        assert text.rstrip("\n").endswith(after.strip("\n"))
    assert section_in(body).digests == {DIGEST}
    assert with_section(body, SECTION) == body


@pytest.mark.parametrize("close", [closed, declined])
def test_why_it_was_closed_is_said_however_long_it_is(close: object) -> None:
    assert "**Closed by the bot:** no longer wanted." in close(with_section("", SECTION), "no longer wanted")  # type: ignore[operator]
