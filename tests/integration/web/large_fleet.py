"""A large fleet, written into the tables as a year of the bot's work would leave it."""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, insert

from bot.domain.bases.advisory import Advisory, Evidence, Release, Severity
from bot.domain.bases.change import Cause, Change
from bot.domain.bases.observation import Observation, PlatformImage
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import Kind, Role, Span, Usage
from bot.domain.rollouts.rebuild import Action, State
from bot.store.engine.codec import dump
from bot.store.engine.database import Database
from bot.store.rows import tables as t
from bot.store.rows.repositories.standings import standing_days

BASES = 220
SUFFIXES = (
    *("", "-noble", "-noble-chiseled", "-alpine", "-alpine3.22", "-azurelinux3.0", "-azurelinux3.0-distroless"),
    *("-noble-chiseled-extra", "-bookworm-slim", "-alpine-extra", "-noble-amd64", "-noble-arm64v8", "-trixie-slim"),
    *("-alpine3.22-extra", "-alpine3.21", "-jammy", "-jammy-chiseled", "-cbl-mariner2.0", "-alpine3.20"),
)
USED = 40
"""So many bases are what most repositories stand on."""
ROLLOUTS = 12
"""Those that have ended; one more is under way."""
_ENDS = (State.SUCCEEDED,) * 17 + (State.FAILED, State.SKIPPED, State.CANCELLED)
_BEGUN = (State.OPEN, State.DISPATCHED, State.SUCCEEDED, State.SUCCEEDED, State.FAILED)


@dataclass
class LargeFleet:
    """`mark` is put into every text that people or forges can write, to see where it comes out."""

    database: Database
    now: datetime
    repositories: int = 5_000
    usages: int = 12
    mark: str = ""

    def __post_init__(self) -> None:
        self._random = random.Random(7)
        families = ("aspnet", "runtime", "sdk", "runtime-deps")
        self.bases = [
            Base("mcr.microsoft.com", f"dotnet/{families[n % 4]}", f"{8 + n % 3}.0{SUFFIXES[n // 12]}")
            for n in range(BASES)
        ]

    def name(self, number: int) -> str:
        return f"contoso/service-{number:04}{self.mark if number == 1 else ''}"

    async def write(self) -> None:
        for table, rows in self._tables():
            async with self.database.transaction() as connection:
                await connection.execute(insert(table), rows)

    def _tables(self) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
        yield t.bases, [self._base(n, base) for n, base in enumerate(self.bases, 1)]
        yield t.repositories, [self._repository(n) for n in range(1, self.repositories + 1)]
        for start in range(1, self.repositories + 1, 500):
            yield t.usages, list(self._usages(start, min(start + 500, self.repositories + 1)))
        yield t.observations, list(self._observations())
        numbers = range(1, ROLLOUTS + 2)
        yield t.rollouts, [self._rollout(n) for n in numbers]
        yield t.changes, list(self._changes())
        yield (
            t.rollout_waves,
            [
                {"rollout_id": n, "name": wave, "began_at": self._opened(n), "done_since": None, "set_aside": 0}
                for n in numbers
                for wave in ("canary", "rest")
            ],
        )
        for n in numbers:
            rows = list(self._rebuilds(n))
            yield t.rebuilds, rows
            yield t.transitions, list(self._transitions(rows))
        yield t.advisories, [self._advisory(n) for n in range(1, 61)]
        yield t.releases, [self._release(n) for n in range(1, 41)]
        yield t.documents, [self._document(n) for n in range(1, 21)]
        yield t.incidents, [self._incident(n) for n in range(1, 31)]
        yield t.notices, [self._notice(n) for n in range(1, 201)]
        yield t.journal, [self._entry(n) for n in range(1, 201)]
        yield standing_days, list(self._days())
        yield (
            t.quarantines,
            [
                {
                    "base_id": 3,
                    "digest": self._digest(),
                    "since": self.now,
                    "who": "alice",
                    "reason": f"breaks TLS {self.mark}",
                }
            ],
        )

    def _base(self, number: int, base: Base) -> dict[str, Any]:
        return {
            "id": number,
            "registry": base.registry,
            "repository": base.repository,
            "tag": base.tag,
            "digest": self._digest(number),
            "version": f"{8 + number % 3}.0.{number % 20}",
            "moved_at": self.now - timedelta(days=number % 45, hours=3),
            "used": True,
            "due_at": self.now + timedelta(minutes=number),
            "error": f"answers 503 {self.mark}" if number == 5 else None,
        }

    def _repository(self, number: int) -> dict[str, Any]:
        return {
            "id": number,
            "name": self.name(number),
            "forge_id": 10_000 + number,
            "default_branch": f"main{self.mark}" if number == 1 else "main",
            "listed": True,
            "config": dump(RepositoryConfig(enabled=number % 97 != 0), RepositoryConfig),
            "workflows": [],
            "problems": [{"path": f"src/{self.mark}", "line": 3, "message": f"cannot be read {self.mark}"}],
            "error": f"404 {self.mark}" if number % 211 == 0 else None,
            "read_at": self.now - timedelta(hours=number % 24),
            "due_at": self.now + timedelta(minutes=number % 60),
        }

    def _usages(self, start: int, end: int) -> Iterator[dict[str, Any]]:
        for repository in range(start, end):
            for each in range(self.usages):
                number = (repository * 7 + each * 3) % USED + 1 if each else repository % BASES + 1
                base = self.bases[number - 1]
                digest = self._digest(number) if each % 2 else None
                usage = Usage(
                    path=f"services/{each}/Dockerfile{self.mark}",
                    kind=Kind("dockerfile"),
                    line=each + 1,
                    reference=Reference(base.name, base.tag, digest),
                    role=Role.FINAL_STAGE if each % 3 else Role.BUILD_STAGE,
                    span=Span(5, 60),
                    stage=f"stage-{each}{self.mark}",
                    platforms=("linux/amd64", "linux/arm64"),
                )
                yield {
                    "repository_id": repository,
                    "base_id": number,
                    "usage": dump(usage, Usage),
                    "digest": digest,
                    "version": None,
                }

    def _observations(self) -> Iterator[dict[str, Any]]:
        number = 0
        for base, named in enumerate(self.bases, 1):
            for move in range(16 if base <= USED else 4):
                number += 1
                at = self._moved(base, move)
                digest = self._digest(base, move)
                seen = Observation(
                    at, named, digest, f"8.0.{move}", at.isoformat(), (PlatformImage("linux/amd64", digest),)
                )
                yield {
                    "id": number,
                    "base_id": base,
                    "previous_id": number - 1 if move else None,
                    "at": at,
                    "digest": digest,
                    "sight": "moved",
                    "observation": dump(seen, Observation),
                    "assessed": True,
                }

    def _moved(self, base: int, move: int) -> datetime:
        return self.now - timedelta(days=(16 - move) * 11 - base % 9)

    def _changes(self) -> Iterator[dict[str, Any]]:
        number = observation = 0
        causes = list(Cause)
        for base, named in enumerate(self.bases, 1):
            for move in range(16 if base <= USED else 4):
                observation += 1
                if not move:
                    continue
                number += 1
                cause = causes[(base + move) % len(causes)]
                is_security = cause is Cause.DOTNET_SECURITY
                cves = (
                    tuple(f"CVE-2026-{10_000 + (move + each) % 60 + 1}" for each in range(3)) if is_security else ()
                )
                at = self._moved(base, move)
                change = Change(
                    named,
                    at,
                    self._digest(base, move - 1),
                    self._digest(base, move),
                    cause,
                    cause,
                    f"8.0.{move - 1}",
                    f"8.0.{move}",
                    cves,
                    (),
                    Severity.HIGH if is_security else None,
                    tuple((cve, f"https://example.com/{cve}") for cve in cves),
                    ("linux/amd64",),
                    (Evidence("releases.json", "release 8.0", at),),
                    f"3 of 6 layers changed {self.mark}",
                )
                yield {
                    "id": number,
                    "base_id": base,
                    "from_observation": observation - 1,
                    "to_observation": observation,
                    "at": at,
                    "change": dump(change, Change),
                    "cause": cause.value,
                    "assessed_at": at,
                    "feeds_revision": 1,
                    "planned": True,
                    "rollout_id": 1 + move * (ROLLOUTS + 1) // 16,
                }

    def _opened(self, rollout: int) -> datetime:
        return self.now - timedelta(days=(ROLLOUTS + 1 - rollout) * 14, hours=7)

    def _rollout(self, number: int) -> dict[str, Any]:
        at = self._opened(number)
        return {"id": number, "opened_at": at, "ended_at": at + timedelta(days=3) if number <= ROLLOUTS else None}

    def _rebuilds(self, rollout: int) -> Iterator[dict[str, Any]]:
        for each in range(1, self.repositories + 1):
            if (each + rollout) % 3 == 0:
                continue
            choice = (each * 31 + rollout * 17) % 20
            ended = rollout <= ROLLOUTS
            waits = not ended and each > self.repositories // 2
            state = _ENDS[choice] if ended else State.PLANNED if waits else _BEGUN[choice % len(_BEGUN)]
            at = self._opened(rollout)
            number = (rollout - 1) * self.repositories + each
            base = each % BASES + 1
            yield {
                "id": number,
                "rollout_id": rollout,
                "repository_id": each,
                "action": (Action.PULL_REQUEST if each % 2 else Action.DISPATCH).value,
                "state": state.value,
                "reason": f"aspnet:10.0 moved under the same tag {self.mark}",
                "targets": [
                    {
                        "base": dump(self.bases[base - 1], Base),
                        "from_digest": self._digest(base, 1),
                        "to_digest": self._digest(base),
                        "changes": [base],
                    }
                ],
                "replacements": [],
                "wave": "canary" if each <= 250 else "rest",
                "planned_at": at,
                "waits_since": at,
                "attempted_at": at + timedelta(hours=1),
                "released_at": None if waits else at,
                "branch": f"freshness/{self.mark}",
                "pull_request": number if each % 2 and not waits else None,
                "workflow": None if each % 2 else f"weekly-rebuild.yml{self.mark}",
                "url": f"https://github.com/contoso/service/pull/{number}" if not waits else None,
                "ended_at": at + timedelta(hours=1 + choice / 4) if state.has_ended else None,
                "due_at": self.now + timedelta(minutes=each % 50),
                "severity": "high",
                "held_because": f"held by bob: {self.mark}" if waits and each % 500 == 0 else None,
            }

    def _transitions(self, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for row in rows:
            yield {
                "rebuild_id": row["id"],
                "at": row["planned_at"],
                "before": None,
                "after": "planned",
                "reason": row["reason"],
            }
            if row["ended_at"]:
                yield {
                    "rebuild_id": row["id"],
                    "at": row["ended_at"],
                    "before": "open",
                    "after": row["state"],
                    "reason": f"run 7 was green {self.mark}",
                }

    def _advisory(self, number: int) -> dict[str, Any]:
        cve = f"CVE-2026-{10_000 + number}"
        found = Advisory(
            cve,
            f"Denial of service in ASP.NET Core {self.mark}",
            Severity.HIGH,
            7.5,
            self.now - timedelta(days=number),
            frozenset({"aspnet"}),
            frozenset({"linux"}),
            (f"8.0.{number % 20}",),
            (f"https://example.com/{cve}",),
            (Evidence("msrc", "2026-Nov", self.now),),
        )
        return {"source": "msrc", "cve": cve, "advisory": dump(found, Advisory)}

    def _release(self, number: int) -> dict[str, Any]:
        at = self.now - timedelta(days=number * 9)
        found = Release(
            "8.0",
            f"8.0.{number}",
            at,
            security=number % 2 == 0,
            cves=(f"CVE-2026-{10_000 + number}",),
            cves_listed_at=at,
        )
        return {"channel": "8.0", "version": found.version, "published_at": at, "release": dump(found, Release)}

    def _document(self, number: int) -> dict[str, Any]:
        kinds = ("dotnet-index", "dotnet-releases", "msrc-bulletin", "image-info", "github-advisories")
        return {
            "url": f"https://feeds.example/{number}{self.mark}",
            "kind": kinds[number % 5],
            "fetched_at": self.now - timedelta(days=number),
            "checked_at": self.now - timedelta(minutes=number * 3),
            "error": f"answers 404 {self.mark}" if number == 4 else None,
            "due_at": self.now + timedelta(minutes=15),
        }

    def _incident(self, number: int) -> dict[str, Any]:
        at = self.now - timedelta(days=number)
        return {
            "subject": f"registry{number}.example{self.mark}",
            "opened_at": at,
            "cleared_at": at + timedelta(hours=2) if number > 2 else None,
            "detail": f"answers 503 to everything {self.mark}",
        }

    def _notice(self, number: int) -> dict[str, Any]:
        topics = ("release-lag", "sibling-lag", "waiting-for-base", "withdrawn", "end-of-life")
        topic, base, since = topics[number % 5], number % BASES + 1, self.now - timedelta(days=number)
        is_over = topic in ("release-lag", "sibling-lag")
        return {
            "topic": topic,
            "base_id": base,
            "since": since,
            "until": since + timedelta(hours=number) if is_over else None,
            "text": f"{self.bases[base - 1].short} is late {self.mark}",
            "toward": [dump(self.bases[base % BASES], Base)],
            "opened_at": since,
        }

    def _entry(self, number: int) -> dict[str, Any]:
        return {
            "at": self.now - timedelta(hours=number),
            "who": f"alice{self.mark}",
            "is_claimed": number % 2 == 0,
            "what": "hold",
            "subject": self.name(number),
            "reason": f"black friday {self.mark}",
        }

    def _days(self) -> Iterator[dict[str, Any]]:
        """Patches every month, and the fleet that follows them."""
        for ago in range(89, 0, -1):
            behind = max(0.7 - (90 - ago) % 29 * 0.05, 0.06)
            shares = {"behind": behind * 0.8, "failed": behind * 0.1, "unknown": behind * 0.1 + 0.05}
            counted = {name: int(self.repositories * share) for name, share in shares.items()}
            counted["current"] = self.repositories - sum(counted.values())
            day = (self.now - timedelta(days=ago)).date()
            for standing, number in counted.items():
                yield {"day": day, "standing": standing, "repositories": number}

    def _digest(self, base: int = 0, move: int = 99) -> str:
        """The same for the same base and move; a random one without them."""
        seed = f"{base}/{move}".encode() if base else self._random.randbytes(32)
        return f"sha256:{hashlib.sha256(seed).hexdigest()}"
