"""The Makefile, as far as it is more than a list of commands."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_the_sandbox_is_asked_directly_whatever_proxy_there_is(name: str) -> None:
    environment = {other: value for other, value in os.environ.items() if other.lower() != "no_proxy"}
    shown = subprocess.run(
        ["make", "-s", "--eval", "show: ; @echo $$NO_PROXY; echo $$no_proxy", "show"],
        cwd=ROOT,
        env={**environment, name: "inside.example"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    for line in shown.stdout.splitlines():
        assert {"localhost", "127.0.0.1", "inside.example"} <= set(line.split(","))
    assert len(shown.stdout.splitlines()) == 2
