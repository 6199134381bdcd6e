"""What `scan` costs as a command: an empty folder, and many pins, fresh and stale, against oras asking for them."""

import asyncio
import statistics
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from bot.domain.reference import Base
from sandbox.edges.edge import Surroundings
from sandbox.images import dotnet_image, push
from sandbox.programs import parts
from sandbox.registry import Registry
from tests.bench.bench_registry import ORAS_AT_ONCE, resolved_by_oras
from tests.bench.measured import Measured

PINS = 193
TRIES = 5
REPOSITORY = "dotnet/aspnet"
AIM_EMPTY = 0.4
AIM_ORAS = 1.3
STALE = f"sha256:{'0' * 64}"


def run() -> list[Measured]:
    parts.require("docker-registry", "oras")
    return asyncio.run(_run())


async def _run() -> list[Measured]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "empty").mkdir()
        empty = statistics.median([await seconds("scan", folder / "empty", "--offline") for _ in range(TRIES)])
        surroundings = Surroundings()
        registry = Registry(folder, surroundings)
        await registry.start()
        try:
            settings, pins = await checkout(folder, registry.host)
            words = ("scan", folder / "pins", "-c", settings)
            surroundings.traffic.forget()
            await seconds(*words)
            requests = len(surroundings.traffic.requests(service="registry"))
            ours, theirs = await _in_turns(words, pins)
            for base in pins:
                pin(folder, base, STALE)
            surroundings.traffic.forget()
            await seconds(*words, ends_with=1)
            requests_for_stale = len(surroundings.traffic.requests(service="registry"))
            ours_of_stale, theirs_then = await _in_turns(words, pins, ends_with=1)
        finally:
            registry.stop()
    return [
        Measured(
            "scan of an empty folder, offline, start included",
            f"{empty:.2f} s",
            f"at most {AIM_EMPTY} s",
            empty <= AIM_EMPTY,
        ),
        Measured(f"requests for {PINS} fresh pins", str(requests), str(PINS), requests == PINS),
        Measured(
            f"scan of {PINS} fresh pins, against {ORAS_AT_ONCE} `oras resolve` at once, starts included",
            f"{ours / theirs:.2f} × ({ours:.2f} s, {theirs:.2f} s)",
            f"at most {AIM_ORAS} ×",
            ours <= AIM_ORAS * theirs,
        ),
        Measured(f"requests for {PINS} stale pins", str(requests_for_stale), str(PINS), requests_for_stale == PINS),
        Measured(
            f"scan of {PINS} stale pins, against {ORAS_AT_ONCE} `oras resolve` at once, starts included",
            f"{ours_of_stale / theirs_then:.2f} × ({ours_of_stale:.2f} s, {theirs_then:.2f} s)",
            f"at most {AIM_ORAS} ×",
            ours_of_stale <= AIM_ORAS * theirs_then,
        ),
    ]


async def checkout(folder: Path, host: str) -> tuple[Path, list[Base]]:
    """As many Dockerfiles, each pinned to the digest that its own tag has."""
    image = dotnet_image("aspnet", "10.0.0")
    pins = [Base(host, REPOSITORY, f"tag-{number}") for number in range(PINS)]
    for base in pins:
        pushed = await asyncio.to_thread(push, host, REPOSITORY, base.tag, image)
        pin(folder, base, pushed.digest)
    settings = folder / "freshness.yaml"
    settings.write_text(f"registries: {{'{host}': {{insecure: true}}}}\nbases: ['{host}/*']\n")
    return settings, pins


def pin(folder: Path, base: Base, digest: str) -> None:
    place = folder / "pins" / base.tag
    place.mkdir(parents=True, exist_ok=True)
    (place / "Dockerfile").write_text(f"FROM {base}@{digest}\n")


async def _in_turns(words: tuple[object, ...], pins: list[Base], ends_with: int = 0) -> tuple[float, float]:
    """The median seconds of each, in turns, so that a busy machine is shared fairly."""
    rounds = [(await seconds(*words, ends_with=ends_with), await _oras(pins)) for _ in range(TRIES)]
    return statistics.median(ours for ours, _ in rounds), statistics.median(theirs for _, theirs in rounds)


async def seconds(*words: object, ends_with: int = 0) -> float:
    began = perf_counter()
    program = Path(sys.executable).with_name("freshness-bot")
    process = await asyncio.create_subprocess_exec(
        program, *map(str, words), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == ends_with, said.decode()
    return perf_counter() - began


async def _oras(pins: list[Base]) -> float:
    began = perf_counter()
    await resolved_by_oras(pins)
    return perf_counter() - began
