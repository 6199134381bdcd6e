"""What else a store knows after a year: feeds, incidents, notices, orders of people, budgets, days of freshness."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bot.domain.bases.support import support_of_base
from bot.domain.feeds.advisory import Advisory, Release
from bot.domain.reference import Base
from bot.domain.repositories.builds import BranchBuilds
from bot.store.engine.codec import dump
from sandbox.stored_fleet import names
from sandbox.stored_fleet.publications import CHANNELS, ROLLOUTS, advisories, fixed, is_supported, opened, version

_FEEDS = "https://builds.dotnet.microsoft.com/dotnet/release-metadata"
_DOCUMENTS = (
    ("dotnet-index", f"{_FEEDS}/releases-index.json"),
    *(("dotnet-releases", f"{_FEEDS}/{channel}/releases.json") for channel in CHANNELS),
    *(
        ("msrc-bulletin", f"https://api.msrc.microsoft.com/cvrf/v3.0/cvrf/2026-{month}")
        for month in ("Jun", "Jul", "Aug", "Sep", "Oct", "Nov")
    ),
    ("image-info", "https://github.com/dotnet/versions/raw/main/build-info/docker/image-info.json"),
    ("github-advisories", "https://api.github.com/advisories?ecosystem=nuget"),
)
_INCIDENTS = (
    ("ghcr.io", "answers 429 to every second look, and asks to wait 40 s"),
    ("mcr.microsoft.com", "answers 503 since three looks"),
    ("api.msrc.microsoft.com", "a document could not be read: it ends in the middle"),
    ("github.com", "a secondary limit: writing pauses, looking goes on"),
)
_REASONS = (
    ("hold", "stock-taking until Monday"),
    ("retry", "the registry was down"),
    ("pause", "checkout freeze for the sale"),
    ("resume", "the sale is over"),
    ("retry", "flaky integration test, fixed on main"),
)
_TOPICS = ("release-lag", "sibling-lag", "release-lag", "sibling-lag", "release-lag")


def advisory_rows(now: datetime, mark: str) -> list[dict[str, Any]]:
    return [
        {"source": "msrc", "cve": found.cve, "advisory": dump(found, Advisory)} for found in advisories(now, mark)
    ]


def release_rows(now: datetime) -> Iterator[dict[str, Any]]:
    """The feed lists a patch of the newest channel an hour after its images, those of the others hours before."""
    for rollout in range(1, ROLLOUTS + 2, 2):
        for place, channel in enumerate(CHANNELS):
            late = timedelta(hours=(place * 9 + rollout * 5) % 37) if place else timedelta(minutes=-50)
            aspnet, its_sdk = (Base("mcr.microsoft.com", f"dotnet/{name}", channel) for name in ("aspnet", "sdk"))
            at = opened(rollout, now) - late
            if not is_supported(aspnet, at):
                continue
            runtime, sdk = (version(base, rollout) or "" for base in (aspnet, its_sdk))
            listed_at = opened(rollout, now) + timedelta(hours=2)
            found = Release(
                *(channel, runtime, at),
                runtime=runtime,
                aspnetcore=runtime,
                sdks=(sdk,),
                security=True,
                cves=fixed(rollout),
                cves_listed_at=listed_at,
            )
            yield {"channel": channel, "version": runtime, "published_at": at, "release": dump(found, Release)}


def document_rows(now: datetime, mark: str) -> Iterator[dict[str, Any]]:
    for number, (kind, url) in enumerate(_DOCUMENTS):
        yield {
            "url": url + mark,
            "kind": kind,
            "fetched_at": now - timedelta(hours=5 + number * 30),
            "checked_at": now - timedelta(minutes=2 + number),
            "error": f"answers 404{mark}" if number == 9 else None,
            "due_at": now + timedelta(minutes=13),
        }


def incident_rows(now: datetime, mark: str) -> Iterator[dict[str, Any]]:
    for number in range(14):
        subject, detail = _INCIDENTS[number % len(_INCIDENTS)]
        at = now - timedelta(hours=2 + number * 170)
        yield {
            "subject": subject + mark,
            "opened_at": at,
            "cleared_at": at + timedelta(minutes=20 + number * 13) if number else None,
            "detail": detail + mark,
        }


def notice_rows(bases: dict[Base, int], now: datetime, mark: str) -> Iterator[dict[str, Any]]:
    """Each base was late a little with each patch; a few are withdrawn, at their end, or waited for."""
    for base, id_ in bases.items():
        for rollout in range(1, ROLLOUTS + 2):
            topic = _TOPICS[(rollout + id_) % len(_TOPICS)]
            if topic == "release-lag" and (not rollout % 2 or base.repository.endswith("-deps")):
                continue
            if topic == "sibling-lag" and "chiseled" not in base.tag and "distroless" not in base.tag:
                continue
            since = opened(rollout, now) - timedelta(hours=1)
            if not is_supported(base, since):
                continue
            late = timedelta(minutes=35 + id_ * rollout * 7 % 300)
            late = late * 40 if topic == "sibling-lag" else late
            about = "had its .NET release after the feed listed it" if topic == "release-lag" else "followed late"
            yield _notice(topic, id_, since, f"{base.short} {about}{mark}", until=min(since + late, now))
    for number, (base, id_) in enumerate(list(bases.items())[-7:]):
        since = now - timedelta(days=4 + number * 9)
        if number % 3 == 0:
            text = f"{base.short} is no longer in the published inventory and gets no more fixes; move to 10.0"
            yield _notice("withdrawn", id_, since, text + mark, toward=base)
        elif number % 3 == 1:
            support = support_of_base(base, now.date())
            text = (
                f"{base.short}: {support.told(now.date()) if support else 'nobody says how long it is supported'}"
            )
            yield _notice("end-of-life", id_, since, text + mark, toward=base)
        elif is_supported(base, now):
            text = f"{base.short} is still on the old .NET; the fix for {fixed(13)[0]} is out for 5 h"
            yield _notice("waiting-for-base", id_, now - timedelta(hours=5), text + mark)


def _notice(
    topic: str, base: int, since: datetime, text: str, *, until: datetime | None = None, toward: Base | None = None
) -> dict[str, Any]:
    newer = () if toward is None else (Base(toward.registry, toward.repository, "10.0"),)
    return {
        "topic": topic,
        "base_id": base,
        "since": since,
        "until": until,
        "text": text,
        "toward": dump(newer, tuple[Base, ...]),
        "opened_at": since,
        "cleared_at": until,
    }


def journal_rows(now: datetime, mark: str) -> Iterator[dict[str, Any]]:
    for number in range(40):
        what, reason = _REASONS[number % len(_REASONS)]
        yield {
            "at": now - timedelta(hours=300 - number * 7),
            "who": names.PEOPLE[number % len(names.PEOPLE)] + mark,
            "is_claimed": number % 4 == 0,
            "what": what,
            "subject": f"rollout {1 + number // 4}"
            if what in ("pause", "resume")
            else names.repository(number * 7 + 2),
            "reason": reason + mark,
        }


def workflow_rows(repository: int, now: datetime, mark: str) -> dict[str, Any]:
    is_dead = repository % 31 == 4
    last = now - (timedelta(days=41) if is_dead else timedelta(hours=repository * 5 % 140))
    said = "GitHub disabled its schedule on 2026-09-30; enable it on its Actions page"
    return {
        "repository_id": repository,
        "workflow": f"build.yml{mark if repository <= 2 else ''}",
        "max_age_seconds": 7 * 86_400,
        "builds": dump(BranchBuilds(), BranchBuilds),
        "last_success": last,
        "read_at": now - timedelta(minutes=repository % 55),
        "standing": None,
        "said": said if is_dead else None,
        "due_at": now + timedelta(hours=1),
    }


def budget_rows(now: datetime) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Of two organisations: one under its hour, the other stopped for a while."""
    room = now - timedelta(minutes=1)
    kept = [
        {"account": "contoso", "room_at": room, "stopped_until": None, "stopped_because": None},
        {
            "account": "fabrikam",
            "room_at": room,
            "stopped_until": now + timedelta(minutes=4),
            "stopped_because": "a secondary limit asks to wait",
        },
    ]
    spent = [
        {"account": "contoso", "at": now - timedelta(seconds=25 * each), "contents": 1 + each % 3}
        for each in range(90)
    ]
    return kept, spent


def day_rows(repositories: int, now: datetime) -> Iterator[dict[str, Any]]:
    """Patches every four weeks and OS updates in between, and the fleet that follows each within days."""
    for ago in range(89, 0, -1):
        after_patch, after_update = -ago % 28, (14 - ago) % 28
        behind = 0.035 + 0.6 * 0.55**after_patch + 0.18 * 0.5**after_update
        shares = {"behind": behind, "failed": behind * 0.12 + 0.012, "unknown": 0.04, "unreadable": 0.008}
        counted = {name: round(repositories * share) for name, share in shares.items()}
        counted["current"] = round(repositories * 0.94) - sum(counted.values())
        day = (now - timedelta(days=ago)).date()
        for standing, number in counted.items():
            yield {"day": day, "standing": standing, "repositories": number}
