"""A real Prometheus that is filled with the scrapes of the sandbox's answers the bot's question as that does."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from bot.clients.kubernetes.access import by_token
from bot.clients.prometheus.reader import PrometheusReader
from bot.domain.clock import SystemClock
from bot.domain.running.backfill import SampledWindow
from sandbox.edges.serving import Server
from sandbox.prometheus.server import Kept
from tests.integration.prometheus.conftest import HOUR, NOON, pod

_SECONDS = 30


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@pytest.fixture
def real(kept: Kept, tmp_path: Path) -> Iterator[str]:
    """Its address; it keeps what `kept` does."""
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        pytest.skip("prometheus is not installed: apt-get install prometheus")
    _fill(kept)
    (tmp_path / "scrapes").write_text(kept.open_metrics())
    (tmp_path / "prometheus.yml").write_text("{}")
    make = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "scrapes", "data"]
    subprocess.run(make, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    port = _free_port()
    served = ["prometheus", "--config.file=prometheus.yml", f"--web.listen-address=127.0.0.1:{port}"]
    served += ["--storage.tsdb.path=data", "--storage.tsdb.retention.time=100y", "--log.level=error"]
    with subprocess.Popen(served, cwd=tmp_path, stdout=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]}) as it:
        try:
            _await_ready(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            it.terminate()


def _fill(kept: Kept) -> None:
    """What bears on the question: a Job that has ended, a pod without owners, one that is not pulled, a gap."""
    begun, until = NOON - 3 * HOUR, NOON
    job, unpulled = pod("job", begun, until, name="job"), pod("none", begun, until, name="none")
    kept.pods += [
        replace(job, owner=("Job", "nightly-29012345"), ended_at=NOON - 2 * HOUR),
        replace(pod("alone", begun, until, name="alone"), owner=None),
        replace(pod("lost", NOON - HOUR, until, name="lost"), has_owner_series=False),
        replace(unpulled, image_id=""),
    ]
    kept.gaps = [(NOON - 100 * HOUR / 60, NOON - 70 * HOUR / 60)]


def _await_ready(address: str) -> None:
    ends = time.monotonic() + _SECONDS
    while time.monotonic() < ends:
        try:
            if httpx.get(f"{address}/-/ready", trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    pytest.fail(f"Prometheus is not ready after {_SECONDS} s")


async def _window(address: str, since: datetime, until: datetime, *namespaces: str) -> SampledWindow:
    reader = PrometheusReader(lambda: by_token(address, None, None), SystemClock(), {}, namespaces)
    found = await reader.window(since, until)
    return replace(found, containers=tuple(sorted(found.containers, key=lambda each: (each.place, each.digest))))


async def test_both_answer_alike(real: str, server: Server) -> None:
    for since, until in ((NOON - 3 * HOUR, NOON - HOUR), (NOON - 6 * HOUR, NOON - 4 * HOUR)):
        window = await _window(real, since, until)
        assert window == await _window(server.url, since, until)
        assert window.containers
        assert window.whole
    assert (await _window(real, NOON - 3 * HOUR, NOON, "elsewhere")).containers == ()
