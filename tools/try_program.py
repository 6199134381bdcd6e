"""Tries the installed program on this system: `scan`, `update` and `audit` of a checkout with Windows' line ends.

It ends with 1 and one line at the first answer that is not as it ought to be. Nothing of the repository is
imported, and no network is used.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

OLD = f"mcr.microsoft.com/dotnet/aspnet:10.0@sha256:{'1' * 64}"
NEW = f"mcr.microsoft.com/dotnet/aspnet:10.0@sha256:{'2' * 64}"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
FILES = {
    "compose.yaml": f"services:\r\n  shop:\r\n    image: {OLD} # Größe\r\n".encode(),
    "src/shop/Dockerfile": _BYTE_ORDER_MARK + f"FROM {OLD}\r\nCOPY bin\\app C:\\app\r\nUSER app\r\n".encode(),
    "src/till/Dockerfile": f"FROM {OLD}\nUSER app\r\n".encode(),
}
"""By their path with slashes, as every answer names them. One mixes its line ends: they are not the program's."""


def ask(*words: str, codes: tuple[int, ...] = (0,)) -> str:
    """What the program writes to standard output. Ends this process where its exit code is another."""
    program = shutil.which("freshness-bot")
    if program is None:
        raise SystemExit("freshness-bot is not on PATH: install it first")
    command = [program, *words]
    ended = subprocess.run(command, capture_output=True, timeout=120, check=False)  # noqa: S603 - our own
    if ended.returncode not in codes:
        said = (ended.stdout + ended.stderr).decode(errors="replace")
        raise SystemExit(f"freshness-bot {' '.join(words)} ended with {ended.returncode}\n{said}")
    return ended.stdout.decode(errors="replace")


def expect(what: str, found: object, expected: object) -> None:
    """Ends this process where the two differ."""
    if found != expected:
        raise SystemExit(f"{what}: {found!r}, not {expected!r}")


def try_in(root: Path) -> None:
    """All of it, in an empty folder."""
    for path, data in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)

    for form in (str(root), root.as_posix(), os.path.join(str(root), "src", os.pardir), f"{root}{os.sep}"):
        rows = json.loads(ask("scan", form, "--offline", "--format", "json"))
        expect(f"scan {form}", [(row["file"], row["reference"]) for row in rows], [(path, OLD) for path in FILES])
    [row] = json.loads(ask("scan", str(root / "src" / "shop" / "Dockerfile"), "--offline", "--format", "json"))
    expect("scan of one file", (row["file"], row["reference"]), ("Dockerfile", OLD))
    ask("scan", str(root), "--offline")

    found = json.loads(ask("audit", str(root), "--format", "json", codes=(0, 1, 3)))
    expect("audit", {finding["path"] for finding in found} & FILES.keys(), set(FILES))
    ask("audit", str(root), codes=(0, 1, 3))

    ask("update", str(root), "--set", f"{OLD}={NEW}")
    present = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    expect("update", present, {path: data.replace(OLD.encode(), NEW.encode()) for path, data in FILES.items()})


def main() -> None:
    print(ask("--version").strip(), "on", sys.platform)
    with tempfile.TemporaryDirectory() as folder:
        try_in(Path(folder).resolve())
    print("scan, update and audit answer as they ought to")


if __name__ == "__main__":
    main()
