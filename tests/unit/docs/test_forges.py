"""A forge is named in the places alone that `docs/how-to/add-a-forge.md` lists, and in as many files at most."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/how-to/add-a-forge.md").read_text(encoding="utf-8")
FORGE = "azure_devops"
PLACES = {
    place.replace("NAME", FORGE): (int(files), int(lines) if lines else None)
    for place, files, lines in re.findall(r"(?m)^(\S+/) +(\d+) files?(?:, (\d+) lines)?", PAGE)
}
OWN = tuple(place for place, (_, lines) in PLACES.items() if lines is not None)
NAMED = re.compile(r"azure[_-](?:devops|pipelines)", re.IGNORECASE)


def _naming() -> list[str]:
    files = ((path, path.read_text(encoding="utf-8")) for path in (ROOT / "bot").rglob("*.py"))
    named = (path.relative_to(ROOT).as_posix() for path, text in files if NAMED.search(text))
    return [name for name in named if not name.startswith(OWN)]


def test_a_forge_is_named_in_the_places_that_the_page_lists() -> None:
    assert [name for name in _naming() if not name.startswith(tuple(PLACES))] == []


@pytest.mark.parametrize("place", [place for place in PLACES if place not in OWN])
def test_no_more_files_of_a_place_name_it(place: str) -> None:
    assert (ROOT / place).is_dir()
    assert sum(name.startswith(place) for name in _naming()) <= PLACES[place][0]


@pytest.mark.parametrize("place", OWN)
def test_its_own_folders_are_no_larger(place: str) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / place).glob("*.py")]
    most, lines = PLACES[place]
    assert 0 < len(texts) <= most
    assert sum(len(text.splitlines()) for text in texts) <= (lines or 0)
