"""The texts in the documentation are those that the bot writes."""

import re

import pytest

from docs.texts import PAGE, page, written

_OF_ONE_RUN = re.compile(
    r"(?<=/blob/)[0-9a-f]{40}|\d{4}-\d\d-\d\d(?:T[\d:.+]+| \d\d:\d\d UTC)?|sha256:[0-9a-f]+|\d+ days"
)
"""Times, commits, digests of images that the sandbox makes, and dates and days, which depend on the day."""


@pytest.mark.long
async def test_the_page_shows_what_the_bot_writes() -> None:
    now = _OF_ONE_RUN.sub("…", page(await written()))
    assert _OF_ONE_RUN.sub("…", PAGE.read_text(encoding="utf-8")) == now, "run `make pictures`"
