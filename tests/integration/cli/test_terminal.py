"""What stands on a terminal of 80 columns: whole names, whatever their length."""

import os
import pty
import re
import struct
import subprocess
import sys
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

import pytest

LONGEST = "mcr.microsoft.com/dotnet/monitor/base:10.0-azurelinux-distroless-extra-composite-amd64"
DIGEST = f"sha256:{'5e' * 32}"
_STYLE = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;;.*?\x1b\\")


def shown(*words: object, columns: int = 80) -> list[str]:
    """The lines of a command on a terminal of so many columns, without their colours."""
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
    program = Path(sys.executable).with_name("freshness-bot")
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen([program, *map(str, words)], stdout=theirs, env=environment) as process:
        os.close(theirs)
        text = b""
        try:
            while piece := os.read(ours, 65536):
                text += piece
        except OSError:  # Linux's answer once the other side is closed
            pass
        process.wait(30)
    os.close(ours)
    return _STYLE.sub("", text.decode()).replace("\r\n", "\n").splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "src" / "a-service-with-a-long-name").mkdir(parents=True)
    (tmp_path / "src" / "a-service-with-a-long-name" / "Dockerfile").write_text(
        f"FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build\nFROM {LONGEST}@{DIGEST}\n"
    )
    return tmp_path


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_no_name_is_cut_or_folded_at_any_width(checkout: Path, columns: int) -> None:
    lines = shown("scan", checkout, "--offline", columns=columns)
    assert any(LONGEST.removeprefix("mcr.microsoft.com/dotnet/") in line for line in lines)
    assert any("src/a-service-with-a-long-name/Dockerfile" in line for line in lines)


def test_a_digest_is_shortened_to_twelve_digits(checkout: Path) -> None:
    lines = shown("scan", checkout, "--offline")
    assert any(line.endswith(f"@sha256:{'5e' * 6}") for line in lines)


def test_usual_rows_fit_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled@{DIGEST}\n")
    lines = shown("scan", tmp_path, "--offline")
    assert any("aspnet:10.0-noble-chiseled" in line for line in lines)
    assert max(map(len, lines)) <= 80


def test_in_a_pipe_each_reference_is_one_line_with_its_whole_name(checkout: Path) -> None:
    program = Path(sys.executable).with_name("freshness-bot")
    ran = subprocess.run([program, "scan", checkout, "--offline"], capture_output=True, text=True, check=False)
    [line] = [line for line in ran.stdout.splitlines() if "sdk:10.0" in line]
    assert line.split()[:3] == [
        "src/a-service-with-a-long-name/Dockerfile",
        "1",
        "mcr.microsoft.com/dotnet/sdk:10.0",
    ]
    assert f"{LONGEST}@{DIGEST}" in ran.stdout


def test_help_shows_whole_first_lines_in_groups() -> None:
    lines = shown("--help", "all")
    assert not [line for line in lines[1:] if "..." in line or "…" in line]
    headings = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert headings[:3] == ["Options:", "Look:", "Roll out:"]
    first = [line.split()[0] for line in lines[lines.index("Look:") + 1 :][:3]]
    assert first == ["status", "plan", "explain"]
