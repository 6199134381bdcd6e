"""What it costs to discover an organisation of 1,000 repositories, and to see that nothing or one thing moved."""

import asyncio
import json
import random
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from sandbox.fleets.fleet import WEEKLY_REBUILD
from sandbox.programs import parts
from sandbox.world import World
from tests.bench.measured import Measured

REPOSITORIES = 1_000
AT_ONCE = 12
ROOT = Path(__file__).resolve().parents[2]
BASES = "mcr.microsoft.com/dotnet"

LONG_AGO = "2026-01-01T00:00:00Z"

AIM_FIRST = 1.3
AIM_UNCHANGED = 12
AIM_ONE_PUSH = 15
AIM_PEAK = 200

COMMON = tuple(
    f"FROM {BASES}/sdk:{tag} AS build\nCOPY . /src\nRUN dotnet publish -o /app /src\n\n"
    f"FROM {BASES}/aspnet:{tag}\nCOPY --from=build /app /app\n"
    for tag in ("8.0", "9.0", "10.0", "10.0-noble", "10.0-alpine")
)
"""What a platform team hands out."""


@dataclass(frozen=True, slots=True)
class Pass:
    """`requests` are those that GitHub was asked."""

    requests: int
    seconds: float
    peak: float
    read: int


def run() -> list[Measured]:
    parts.require("emulate")
    return asyncio.run(_run())


async def _run() -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        async with World() as world:
            world.github.edge.limits.rest = 100_000
            await _create(world)
            config = _config(world, Path(folder))
            first = await _pass(world, config)
            unchanged = await _pass(world, config)
            await world.github.push(
                f"service-{REPOSITORIES // 2:04}", {"Dockerfile": f"FROM {BASES}/aspnet:9.0-noble\n"}
            )
            one_push = await _pass(world, config)
    each = first.requests / REPOSITORIES
    peak = max(each.peak for each in (first, unchanged, one_push))
    assert (first.read, unchanged.read, one_push.read) == (REPOSITORIES, 0, 1), "the passes are not what they seem"
    return [
        Measured(
            "first discovery, requests for each of 1,000 repositories",
            f"{each:.2f}",
            f"≤ {AIM_FIRST}",
            each <= AIM_FIRST,
        ),
        Measured("first discovery", f"{first.seconds:.1f} s"),
        _requests("pass with nothing changed", unchanged, AIM_UNCHANGED),
        Measured("pass with nothing changed", f"{unchanged.seconds:.1f} s"),
        _requests("pass after one push", one_push, AIM_ONE_PUSH),
        Measured("pass after one push", f"{one_push.seconds:.1f} s"),
        Measured("peak memory of the bot", f"{peak:.0f} MB", f"< {AIM_PEAK} MB", peak < AIM_PEAK),
    ]


def _requests(what: str, of: Pass, most: int) -> Measured:
    return Measured(f"{what}, requests", str(of.requests), f"≤ {most}", of.requests <= most)


async def _pass(world: World, config: Path) -> Pass:
    world.traffic.forget()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.fleet_discovery", config, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"the discovery ended with {process.returncode}")
    told = json.loads(output)
    if told["problems"]:
        raise RuntimeError(f"the discovery had problems: {told['problems'][:3]}")
    return Pass(len(world.traffic.requests("github")), told["seconds"], told["peak"], told["read"])


def _config(world: World, folder: Path) -> Path:
    """As a GitHub App, which costs two requests more than a token: its installation and a token of it."""
    path = world.config(folder, f"sqlite:///{folder}/fleet.db")
    key = folder / "app.pem"
    key.write_text(world.github.private_key)
    settings = yaml.safe_load(path.read_text())
    del settings["github"]["token_file"]
    settings["github"]["app"] = {"id": world.github.app_id, "private_key_file": str(key)}
    settings["registries"] = {"mcr.microsoft.com": {}}
    settings["bases"] = [f"{BASES}/*"]
    path.write_text(yaml.safe_dump(settings))
    return path


async def _create(world: World) -> None:
    free = asyncio.Semaphore(AT_ONCE)
    choose = random.Random(1)

    async def create(number: int, files: Mapping[str, str]) -> None:
        async with free:
            await world.github.create_repository(f"service-{number:04}", files, pushed_at=LONG_AGO)

    await asyncio.gather(*(create(number, _files(number, choose)) for number in range(REPOSITORIES)))


def _files(number: int, choose: random.Random) -> Mapping[str, str]:
    """60 % of the Dockerfiles are one of five; each repository has three manifests of its own, and some have a
    workflow, compose, a project."""
    name = f"service-{number:04}"
    common = choose.choice(COMMON)
    files = {
        "README.md": f"# {name}\n",
        "src/Program.cs": f'Console.WriteLine("{name}");\n',
        ".github/dependabot.yml": "version: 2\nupdates: []\n",
        "Dockerfile": common if choose.random() < 0.6 else f"{common}ENV SERVICE={name}\n",
    }
    if choose.random() < 0.4:
        files[".github/workflows/weekly-rebuild.yml"] = WEEKLY_REBUILD
    if choose.random() < 0.3:
        files["compose.yaml"] = f"services:\n  {name}:\n    build: .\n  cache:\n    image: redis:8\n"
    if choose.random() < 0.3:
        files[f"src/{name}.csproj"] = (
            '<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup><TargetFramework>net10.0</TargetFramework>'
            f"<AssemblyName>{name}</AssemblyName></PropertyGroup></Project>\n"
        )
    for part in ("deployment", "job", "cron"):
        files[f"deploy/{part}.yaml"] = (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n"
            f"  name: {name}-{part}\nspec:\n  template:\n    spec:\n      containers:\n"
            f"        - name: {part}\n          image: registry.contoso.com/{name}:1.0\n"
        )
    return files
