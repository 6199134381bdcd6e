"""Each dependency has a line that says for what, on the page of the decision about them."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAGE = (ROOT / "docs" / "adr" / "0011-what-we-lean-on.md").read_text(encoding="utf-8")
PRODUCT, TESTS = PAGE.split("What the tests, the checks and the sandbox lean on")
_EXTRAS = PROJECT["optional-dependencies"]
_OF_PRODUCT = [
    *PROJECT["dependencies"],
    *(line for name, lines in _EXTRAS.items() if name != "dev" for line in lines),
]


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def lines_of(table: str) -> list[str]:
    """The names that have a line with all of its cells filled."""
    return re.findall(r"^\| `([^`]+)` \|(?: [^|\s][^|]* \|)+$", table, re.MULTILINE)


@pytest.mark.parametrize(
    ("table", "dependencies"),
    [(PRODUCT, names(_OF_PRODUCT)), (TESTS, names(_EXTRAS["dev"]) - names(_OF_PRODUCT))],
    ids=["product", "tests"],
)
def test_each_dependency_has_one_line_that_says_for_what(table: str, dependencies: set[str]) -> None:
    assert sorted(lines_of(table)) == sorted(dependencies)
