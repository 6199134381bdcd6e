"""zizmor, where it is installed beside the bot or on the path: what it finds in a checkout, as SARIF."""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from bot.domain.failure import Failure, Trouble

LONGEST_SECONDS = 300
MOST_BYTES = 200_000_000
NAME = "zizmor"
_NOTHING_TO_READ = 3
_NO_LOG: dict[str, Any] = {"runs": []}


async def zizmor_log(root: Path) -> dict[str, Any]:
    """Runs zizmor without the network on a checkout, or on one file of it, and gives its log.

    A log without runs where there is nothing for it to read. Raises `Failure` where it is not installed, or ends
    without a log.
    """
    program = _program()
    arguments = ("--format", "sarif", "--offline", "--no-progress", "--", str(root))
    environment = {key: value for key, value in os.environ.items() if not key.endswith("_TOKEN")}
    try:
        process = await asyncio.create_subprocess_exec(
            program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment
        )
    except OSError as error:
        raise Failure(Trouble.DENIED, f"does not start ({error.strerror})", where=program) from None
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            output, complaint = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise Failure(Trouble.UNREACHABLE, f"took more than {LONGEST_SECONDS} seconds", where=NAME) from None
    if process.returncode == _NOTHING_TO_READ:
        return _NO_LOG
    return _log_of(output, complaint.decode("utf-8", "replace"))


def _program() -> str:
    program = shutil.which(NAME, path=str(Path(sys.executable).parent)) or shutil.which(NAME)
    if program is None:
        raise Failure(Trouble.MISSING, "is not installed", where=NAME, advice="pipx install zizmor")
    return program


def _log_of(output: bytes, complaint: str) -> dict[str, Any]:
    try:
        log = json.loads(output) if len(output) <= MOST_BYTES else None
    except ValueError:
        log = None
    if not isinstance(log, dict) or not isinstance(log.get("runs"), list):
        lines = [
            line.strip() for line in complaint.splitlines() if "error" in line.lower() or "fatal" in line.lower()
        ]
        why = f": {lines[0][:200]}" if lines else ""
        raise Failure(Trouble.MALFORMED, f"gave no SARIF log{why}", where=NAME)
    return log
