"""The pictures: few, small, and each shown somewhere."""

from pathlib import Path

ROOT = Path(__file__).parents[3]
PICTURES = sorted((ROOT / "docs" / "images").glob("*.png"))


def test_they_stay_small() -> None:
    assert sum(picture.stat().st_size for picture in PICTURES) < 1_000_000


def test_each_is_shown_on_a_page() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert [picture.name for picture in PICTURES if f"images/{picture.name})" not in text] == []
