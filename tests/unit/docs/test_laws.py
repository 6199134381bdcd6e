"""Each law is decided in one place that there is, and held by a test that there is."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROW = re.compile(
    r"^\| (?P<says>[^|]+) \| `(?P<place>[^`]+):(?P<name>\w+)` \| `(?P<test>[^`]+)::(?P<holds>\w+)` \|$"
)
LINES = (ROOT / "docs" / "laws.md").read_text(encoding="utf-8").splitlines()
LAWS = [line for line in LINES if line.startswith("| ") and not line.startswith("| what holds")]


def defines(path: str, name: str) -> bool:
    text = (ROOT / path).read_text(encoding="utf-8")
    job = rf"|^  {name}:$" if path.endswith(".yml") else ""
    return re.search(rf"(?m)^ *(?:async def|def|class) {name}\b|^{name}\b.* ={job}", text) is not None


@pytest.mark.parametrize("law", LAWS)
def test_a_law_names_the_place_that_decides_it_and_the_test_that_holds_it(law: str) -> None:
    row = ROW.match(law)
    assert row is not None
    assert defines(row["place"], row["name"])
    assert defines(row["test"], row["holds"])
