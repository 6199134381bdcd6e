"""What `scan` costs beside Renovate's own run on a checkout, over the same stale pins, each with no cache.

Renovate is no part of the set-up, since it is large: `npm install --prefix FOLDER renovate`, and FOLDER's
`node_modules/.bin/renovate` in RENOVATE. Without it one line says that nothing was compared.
"""

import asyncio
import json
import os
import resource
import shutil
import statistics
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from time import perf_counter

from sandbox.edges.edge import Surroundings
from sandbox.programs import parts
from sandbox.registry import Registry
from tests.bench.bench_scan import PINS, STALE, checkout, pin, seconds
from tests.bench.measured import Measured

TRIES = 3
AIM = 7.0
WHAT = f"scan of {PINS} stale pins, against Renovate's local run, starts included"


def run() -> list[Measured]:
    renovate = os.environ.get("RENOVATE") or shutil.which("renovate")
    if renovate is None:
        return [Measured(WHAT, "not compared: Renovate is not here, see tests/bench/bench_renovate.py")]
    parts.require("docker-registry", "emulate")
    return asyncio.run(_run(Path(renovate)))


async def _run(renovate: Path) -> list[Measured]:
    with tempfile.TemporaryDirectory() as name:
        folder, surroundings = Path(name), Surroundings()
        registry = Registry(folder, surroundings)
        await registry.start()
        try:
            settings, pins = await checkout(folder, registry.host)
            for base in pins:
                pin(folder, base, STALE)
            words = ("scan", folder / "pins", "-c", settings)
            surroundings.traffic.forget()
            rounds = []
            for _ in range(TRIES):
                ours = await _cost(seconds(*words, ends_with=1))
                rounds.append((ours, await _cost(_renovate(renovate, folder, registry.host))))
            requests = len(surroundings.traffic.requests(service="registry")) // TRIES
        finally:
            registry.stop()
    ours, theirs = (
        statistics.median(times) for times in zip(*((one[0], two[0]) for one, two in rounds), strict=True)
    )
    work, their_work = (
        statistics.median(each) for each in zip(*((one[1], two[1]) for one, two in rounds), strict=True)
    )
    return [
        Measured("requests of both for a round", str(requests)),
        Measured(
            "the same in processor time, which a busy machine changes less",
            f"{their_work / work:.1f} × less ({work:.2f} s, {their_work:.2f} s)",
        ),
        Measured(
            WHAT,
            f"{theirs / ours:.1f} × faster ({ours:.2f} s, {theirs:.2f} s)",
            f"at least {AIM:.0f} ×",
            theirs >= AIM * ours,
        ),
    ]


async def _cost(run: Awaitable[float]) -> tuple[float, float]:
    """The seconds of a run, and those in which a processor worked for it."""
    before = _worked()
    return await run, _worked() - before


def _worked() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def _renovate(renovate: Path, folder: Path, host: str) -> float:
    """The seconds of one run that looks each pin up and writes nothing."""
    with tempfile.TemporaryDirectory() as own:
        config = Path(own) / "config.json"
        rules = {"matchHost": f"https://{host}", "insecureRegistry": True}
        config.write_text(json.dumps({"hostRules": [rules], "enabledManagers": ["dockerfile"]}))
        environment = {
            **os.environ,
            "PATH": f"{parts.NODE.parent}{os.pathsep}{os.environ['PATH']}",
            "RENOVATE_CONFIG_FILE": str(config),
            "RENOVATE_BASE_DIR": own,
        }
        began = perf_counter()
        process = await asyncio.create_subprocess_exec(
            *(renovate, "--platform=local", "--dry-run=lookup", "--require-config=ignored"),
            cwd=folder / "pins",
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        took = perf_counter() - began
    assert process.returncode == 0, said.decode()
    assert f'"depCount": {PINS}' in said.decode(), "Renovate has not found the pins"
    return took
