"""Nothing that the API's description allows, or forbids, breaks it: schemathesis makes the requests up."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.stored_fleet.serving import TOKEN, served

PROGRAM = "from schemathesis.cli import schemathesis; schemathesis()"
EXAMPLES = 50
"""For each operation, of right requests and wrong ones: a minute of an idle core."""
PATIENCE = 560
OPERATIONS = 26


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("api"), repositories=40, usages=2) as url:
        yield url


@pytest.mark.long
@pytest.mark.parametrize("phase", ["coverage", "fuzzing"])
def test_each_answer_is_as_described(address: str, tmp_path: Path, phase: str) -> None:
    """None ends in a 5xx, and each has the described status and shape, in a phase that runs to its end."""
    report = tmp_path / "report.json"
    command = [sys.executable, "-c", PROGRAM, "--no-color", "run", f"{address}/api/v1/openapi.json"]
    bounds = ["--phases", phase, "--max-examples", str(EXAMPLES), "--generation-deterministic"]
    told = ["--continue-on-failure", "--report-json-path", str(report)]
    ended = subprocess.run(
        [*command, *bounds, *told, "--header", f"Authorization: Bearer {TOKEN}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-2000:]
    found = json.loads(report.read_text())
    assert (found["stop_reason"], found["phases"][phase]["status"]) == ("completed", "success")
    assert (found["operations"]["tested"], found["errors"]) == (OPERATIONS, [])
