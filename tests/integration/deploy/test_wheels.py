"""What the program needs is installed without a compiler on Linux, macOS and Windows: each has a wheel there."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
UV = str(Path(sys.executable).with_name("uv"))


INTELS_MACS = "x86_64-apple-darwin"
"""What is pinned has no wheels there, and so the newest counts, which anybody gets."""


@pytest.mark.parametrize("extras", [(), ("apprise", "azure", "postgresql")], ids=["program", "with extras"])
@pytest.mark.parametrize("python", ["3.11", "3.13"])
@pytest.mark.parametrize(
    "platform",
    ["linux", "aarch64-unknown-linux-gnu", "x86_64-unknown-linux-musl", "macos", INTELS_MACS, "windows"],
)
def test_everything_has_a_wheel(platform: str, python: str, extras: tuple[str, ...]) -> None:
    asked = ["--python-platform", platform, "--python-version", python]
    asked += [word for extra in extras for word in ("--extra", extra)]
    if platform != INTELS_MACS:
        asked += ["--constraint", "constraints.txt"]
    wheels = chosen(*asked, "--no-build")
    assert "pydantic-core==" in wheels
    assert chosen(*asked) == wheels, "where it may build, a newer version without a wheel is taken"


def chosen(*asked: str) -> str:
    """The versions that are installed, without comments."""
    command = [UV, "pip", "compile", "--quiet", "--no-header", "--no-annotate", "pyproject.toml", *asked]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
