"""The pages that come from the code say what the code says."""

from pathlib import Path

import pytest

from docs.reference import pages

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_a_page_is_what_the_code_says(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == pages()[page], "run `make reference`"


def test_every_setting_is_told_what_it_is_for() -> None:
    rows = [line for line in (ROOT / "docs" / "settings.md").read_text().splitlines() if line.startswith("| `")]
    assert [row for row in rows if row.split("|")[4].strip() == ""] == []
