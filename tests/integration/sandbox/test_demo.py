"""`make demo`: it comes out as it should, and what it says to try answers on what it leaves."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sandbox.demo import CVES, OPENSSL_CVE, TO_TRY, WHERE_STUCK, WORST_CVE

ENOUGH = 240
"""Seconds, on a machine that does much else."""


@dataclass(frozen=True, slots=True)
class Left:
    """A demo that is kept up: what it wrote, and where its settings are."""

    told: str
    settings: str


IN_BACKGROUND = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
"""Ignores Ctrl-C, as a shell lets a program that it puts there."""


@pytest.fixture(scope="module")
def left() -> Iterator[Left]:
    words = [*IN_BACKGROUND, sys.executable, "-m", "sandbox.demo", "--keep"]
    environment = {**os.environ, "COLUMNS": "300", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as demo:
        assert demo.stdout is not None
        too_long = threading.Timer(ENOUGH, demo.kill)
        too_long.start()
        told = ""
        for line in demo.stdout:
            told += line
            if line.rstrip().endswith(f" {TO_TRY[-1]}"):
                break
        try:
            if demo.poll() == 2:
                pytest.skip(told)
            found = re.search(r"FRESHNESS_BOT_CONFIG=(\S+)", told)
            assert found is not None, told
            yield Left(told, found[1])
        finally:
            too_long.cancel()
            _end(demo)


def _end(demo: subprocess.Popen[str]) -> None:
    demo.send_signal(signal.SIGINT)
    try:
        demo.wait(60)
    except subprocess.TimeoutExpired:
        demo.kill()
        raise


def answer(left: Left, words: str) -> "subprocess.CompletedProcess[str]":
    """What the program writes on the demo's store when it is called with these words."""
    return subprocess.run(
        [sys.executable, "-c", "from bot.cli import main; main()", *words.split()],
        capture_output=True,
        text=True,
        timeout=ENOUGH,
        check=False,
        env={**os.environ, "FRESHNESS_BOT_CONFIG": left.settings},
    )


@pytest.mark.long
def test_it_shows_which_images_hold_the_package_and_where_its_fix_is_stuck(left: Left) -> None:
    assert "wrong:" not in left.told
    shown = left.told[left.told.index("Where a fix is stuck") :]
    assert "4 images with such a package" in shown
    assert f"{OPENSSL_CVE}: HIGH, as Ubuntu rates it." in shown
    assert "base not rebuilt: 4 images" in shown
    assert "2 fixed (1 HIGH, 1 MEDIUM); 1 still open (1 HIGH): no fix yet" in left.told, (
        "the pull request tells of it too"
    )


@pytest.mark.long
def test_it_tells_where_a_cve_runs_before_between_and_after(left: Left) -> None:
    told = re.findall(rf"  ([a-z, ]+): {WORST_CVE} (not known|not exposed|exposed in \d of \d)", left.told)
    assert told == [
        ("before", "not known"),
        ("published", "exposed in 4 of 4"),
        ("proved, rolled out nowhere", "exposed in 4 of 4"),
        ("rolled out in east", "exposed in 2 of 4"),
        ("rolled out in west", "not exposed"),
        ("asked of the time before", "exposed in 4 of 4"),
    ]


@pytest.mark.long
@pytest.mark.parametrize("words", TO_TRY)
def test_what_it_says_to_try_answers(left: Left, words: str) -> None:
    ran = answer(left, words)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout
    if words in WHERE_STUCK:
        assert "payments-api:latest" in ran.stdout


@pytest.mark.long
def test_of_each_cve_that_it_names_the_ledger_tells(left: Left) -> None:
    names = set(re.findall(r"CVE-\d{4}-\d+", left.told))
    assert {*CVES, OPENSSL_CVE} <= names
    assert {name: answer(left, f"cve {name}").stderr for name in names} == dict.fromkeys(names, "")
