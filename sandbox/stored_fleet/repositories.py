"""The repositories: on which bases each stands, in which files, and which images come of it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain.evidence import Strength
from bot.domain.images.standing import LAW, Basis, ImageStanding, ImageState, state_of
from bot.domain.images.standing import Publication as Shown
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import Kind, Role, Span, Usage
from bot.store.engine.codec import dump
from sandbox.stored_fleet import names
from sandbox.stored_fleet.publications import BASES, CHANNELS, Publication, digest

_DISTRIBUTIONS = {"": 40, "-noble-chiseled": 18, "-alpine": 16, "-noble": 10, "-azurelinux3.0": 6}
_BUILT_ON = {"": "", "-noble-chiseled": "-noble", "-alpine": "-alpine", "-noble": "-noble"}
_PLATFORMS = ("linux/amd64", "linux/arm64")
_BY_NAME = {str(base): base for base in BASES}


@dataclass(frozen=True, slots=True)
class Service:
    """One Dockerfile: the base of its last stage, that of its build stage, and whether the first is pinned."""

    folder: str
    runs_on: Base
    built_on: Base
    is_pinned: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """A repository of the fleet. Some name no watched base, some ask to be left alone, some cannot be read."""

    number: int
    name: str
    services: tuple[Service, ...]
    is_enabled: bool
    error: str | None

    @property
    def bases(self) -> frozenset[Base]:
        return frozenset(base for each in self.services for base in (each.runs_on, each.built_on))


def samples(count: int, usages: int, mark: str) -> list[Sample]:
    """`usages` is how many each names on average; `mark` becomes part of the first one's name."""
    return [_sample(number, usages, mark) for number in range(1, count + 1)]


def _sample(number: int, usages: int, mark: str) -> Sample:
    chance = random.Random(number)
    several = max(1, usages // 2 + number % 5 - 2)
    channel = chance.choices(CHANNELS, (50, 35, 15))[0]
    services = tuple(_service(number, each, channel, chance) for each in range(several))
    return Sample(
        number,
        names.repository(number) + (mark if number == 1 else ""),
        () if number % 23 == 0 else services,
        number % 97 != 0,
        f"its tree cannot be read: answers 404{mark}" if number % 111 == 0 else None,
    )


def _service(number: int, each: int, channel: str, chance: random.Random) -> Service:
    suffix = chance.choices(list(_DISTRIBUTIONS), list(_DISTRIBUTIONS.values()))[0]
    family = chance.choices(("aspnet", "runtime", "runtime-deps"), (70, 22, 8))[0]
    runs_on = _BY_NAME[f"mcr.microsoft.com/dotnet/{family}:{channel}{suffix}"]
    if each == 0 and number % 12 == 7:
        runs_on = BASES[chance.randrange(len(BASES))]
    built_on = _BY_NAME[f"mcr.microsoft.com/dotnet/sdk:{channel}{_BUILT_ON.get(suffix, '')}"]
    folder = f"src/{names.project(number)}" if each == 0 else f"src/{names.project(number + each * 61)}"
    return Service(folder, runs_on, built_on, number % 3 == 0)


def repository_row(sample: Sample, now: datetime, mark: str) -> dict[str, Any]:
    problem = {"path": f"deploy/values{mark}.yaml", "line": 14, "message": f"the tag is a template{mark}"}
    return {
        "id": sample.number,
        "name": sample.name,
        "forge_id": str(10_000 + sample.number),
        "default_branch": f"main{mark}" if sample.number == 1 else "main",
        "listed": True,
        "config": dump(RepositoryConfig(enabled=sample.is_enabled), RepositoryConfig),
        "workflows": [],
        "problems": [problem] if sample.number % 9 == 1 else [],
        "error": sample.error,
        "read_at": now - timedelta(minutes=sample.number * 7 % 50),
        "due_at": now + timedelta(minutes=sample.number % 60),
    }


def usage_rows(
    sample: Sample, pinned: dict[Base, str], ids: dict[Base, int], mark: str
) -> Iterator[dict[str, Any]]:
    """`pinned` are the digests that its pins name."""
    for service in sample.services:
        path = f"{service.folder}/Dockerfile{mark if sample.number <= 2 else ''}"
        for base, role in ((service.built_on, Role.BUILD_STAGE), (service.runs_on, Role.FINAL_STAGE)):
            pin = pinned.get(base) if service.is_pinned and role is Role.FINAL_STAGE else None
            usage = Usage(
                path=path,
                kind=Kind("dockerfile"),
                line=1 if role is Role.BUILD_STAGE else 11,
                reference=Reference(base.name, base.tag, pin),
                role=role,
                span=Span(5, 60),
                stage=("build" if role is Role.BUILD_STAGE else "final") + (mark if sample.number <= 2 else ""),
                platforms=_PLATFORMS,
            )
            yield {
                "repository_id": sample.number,
                "base_id": ids[base],
                "usage": dump(usage, Usage),
                "digest": pin,
                "version": None,
            }


def image_rows(
    sample: Sample, shown: dict[Base, list[Publication]], is_done: bool, now: datetime, mark: str
) -> Iterator[dict[str, Any]]:
    """What its services become; `is_done` says whether its latest rebuild has brought what the bases show now."""
    for each, service in enumerate(sample.services):
        bare = service.folder.partition("/")[2].lower().replace(".", "-")
        lags = 0 if is_done else 1
        seen = shown[service.runs_on]
        at = max(len(seen) - 1 - lags, 0)
        until = seen[at + 1].at if at + 1 < len(seen) else None
        is_known = sample.number % 8 != 5
        strength = (Strength.PROVED, Basis.LAYERS) if sample.number % 6 else (Strength.CLAIMED, Basis.ANNOTATION)
        standings = tuple(
            ImageStanding(
                platform,
                *strength,
                (
                    Shown(
                        service.runs_on,
                        seen[at].at,
                        seen[at].digest,
                        platform,
                        digest(f"{seen[at].digest} {platform}"),
                        until,
                    ),
                ),
                layers=5 if strength[1] is Basis.LAYERS else 0,
            )
            for platform in _PLATFORMS
        )
        yield {
            "repository_id": sample.number,
            "registry": "ghcr.io",
            "repository": f"contoso/{bare}-{sample.number:04}-{each}" if each else sample.name.partition("-1")[0],
            "tag": "latest",
            "source": "build",
            "path": f".github/workflows/build.yml{mark if sample.number == 1 else ''}",
            "line": 31,
            "pulls": sample.number % 4 != 0,
            "found": "latest" if is_known else None,
            "digest": digest(f"image {sample.number} {each}") if is_known else None,
            "seen_at": now - timedelta(hours=sample.number % 30) if is_known else None,
            "looked_at": now - timedelta(hours=sample.number % 20),
            "standings": dump(standings, tuple[ImageStanding, ...]) if is_known else None,
            "behind_since": until if is_known else None,
            "state": (state_of(standings) if is_known else ImageState.NOT_SEEN).value,
            "law": LAW,
            "error": None if is_known else f"ghcr.io answers 403: the token may not read packages{mark}",
            "due_at": now + timedelta(hours=4),
        }


def deployment_rows(sample: Sample, now: datetime) -> Iterator[dict[str, Any]]:
    """Where its first image is run: in two clusters' manifests, of which some pin what was built before."""
    if not sample.services or sample.number % 5 == 4:
        return
    is_pinned = sample.number % 7 == 3
    for cluster in ("staging", "production"):
        yield {
            "repository_id": sample.number,
            "registry": "ghcr.io",
            "repository": sample.name,
            "tag": "latest",
            "digest": digest(f"image {sample.number} before") if is_pinned and cluster == "production" else None,
            "path": f"deploy/{cluster}/deployment.yaml",
            "line": 24,
            "since": now - timedelta(days=90),
        }
