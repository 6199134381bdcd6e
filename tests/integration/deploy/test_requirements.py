"""What the image installs is what the tests ran with, file by file; `make requirements` writes it anew."""

import re
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {"python_version": "3.13", "python_full_version": "3.13.0", "sys_platform": "linux"}


def pins(text: str) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)==([^\s\\]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


@pytest.fixture(params=["requirements", "build-requirements"])
def text(request: pytest.FixtureRequest) -> str:
    return (ROOT / f"deploy/{request.param}.txt").read_text()


def test_each_is_pinned_with_hashes_and_names_no_place(text: str) -> None:
    for entry in re.split(r"\n(?! )", text.strip()):
        assert re.match(r"[\w.-]+==[\w.]+ \\\n(    --hash=sha256:[0-9a-f]{64}( \\\n)?)+\Z", entry), entry
    assert "://" not in text


def test_each_has_the_version_of_the_constraints(text: str) -> None:
    constraints = pins((ROOT / "constraints.txt").read_text())
    assert pins(text).items() <= constraints.items()


def test_all_that_the_project_needs_is_there_with_what_that_needs() -> None:
    known = pins((ROOT / "deploy/requirements.txt").read_text())
    wanted = [one for extra in ("", "apprise", "azure", "postgresql") for one in needs("freshness-bot", extra)]
    seen = set[tuple[str, str]]()
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        assert name in known
        new = {(name, extra) for extra in ("", *requirement.extras)} - seen
        seen |= new
        wanted += [one for each in new for one in needs(*each)]
    assert {name for name, _ in seen} == known.keys(), "and nothing else"


def needs(name: str, extra: str) -> list[Requirement]:
    found = [Requirement(line) for line in requires(name) or ()]
    return [one for one in found if one.marker is None or one.marker.evaluate({**ENVIRONMENT, "extra": extra})]
