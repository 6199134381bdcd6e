"""The texts in the documentation are those that the bot writes."""

import re

import pytest

from docs.texts import PAGE, page, written

_TIMES = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC")


@pytest.mark.long
async def test_the_page_shows_what_the_bot_writes() -> None:
    now = _TIMES.sub("TIME", page(await written()))
    assert _TIMES.sub("TIME", PAGE.read_text(encoding="utf-8")) == now, "run `make pictures`"
