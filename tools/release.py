"""What a release says of itself, from the one place of each: `python -m tools.release v1.2.3 notes.md`.

The version stands in pyproject.toml, the notes in CHANGELOG.md under its heading. Where the tag names another
version, or nothing stands there, it ends with one line and 1. It prints what GITHUB_OUTPUT takes.
"""

import re
import sys
import tomllib
from pathlib import Path

from hatch_build import Links

ROOT = Path(__file__).parents[1]


def notes(changelog: str, version: str) -> str:
    """The section of that version, without its heading. Raises `SystemExit` where there is none, or it is empty."""
    sections = re.split(r"(?m)^## (.+?)[ \t]*$", changelog)
    by_heading = dict(zip(sections[1::2], sections[2::2], strict=True))
    section = by_heading.get(version, "").strip()
    if not section:
        raise SystemExit(f"CHANGELOG.md has nothing under ## {version}: rename ## Unreleased")
    return section + "\n"


def main(tag: str, file: str) -> None:
    """Writes the notes to `file`, and prints the version and its series, as `0.2` of `0.2.1`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = project["version"]
    if tag != f"v{version}":
        raise SystemExit(f"the tag is {tag}, and pyproject.toml has version {version}: they have to be the same")
    section = notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    Path(file).write_text(Links(project["urls"]["Source"], tag, "CHANGELOG.md").absolute(section), encoding="utf-8")
    print(f"version={version}")
    print(f"series={version.rpartition('.')[0]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
