"""What the program needs is installed without a compiler on Linux, macOS and Windows: each has a wheel there.

Intel's Macs are left out: for them cbor2 has none of a version that refuses what nobody signed.
"""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
UV = str(Path(sys.executable).with_name("uv"))


@pytest.mark.parametrize("extras", [(), ("apprise", "azure", "postgresql")], ids=["program", "with extras"])
@pytest.mark.parametrize("python", ["3.11", "3.13"])
@pytest.mark.parametrize("platform", ["linux", "aarch64-unknown-linux-gnu", "macos", "windows"])
def test_everything_has_a_wheel(platform: str, python: str, extras: tuple[str, ...]) -> None:
    command = [UV, "pip", "compile", "--quiet", "--no-build", "--constraint", "constraints.txt", "pyproject.toml"]
    command += ["--python-platform", platform, "--python-version", python]
    command += [word for extra in extras for word in ("--extra", extra)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "pydantic-core==" in ended.stdout
