"""What the API answers where that is not a view as it stands, and how values become JSON with an ETag and links."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from bot.views.fleet.figures import Operations, StageRow
from bot.views.paging import Page
from bot.views.rollouts.rollout import RolloutPage, RolloutSummary, WaveProgress, rollout_summary
from bot.views.rows import ChangeRow, RebuildRow


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no answer."""

    detail: str


@dataclass(frozen=True, slots=True)
class WaveRow:
    """One wave of a rollout; `waits_for` says why it does not go on, None where it does or is over."""

    name: str
    waiting: int
    held: int
    under_way: int
    ended: int
    failed: int
    began_at: datetime | None
    waits_for: str | None
    waits_until: datetime | None


@dataclass(frozen=True, slots=True)
class RolloutDetail:
    """A rollout with its waves, what moved, and one page of its rebuilds."""

    rollout: RolloutSummary
    states: Mapping[str, int]
    paused_by: str | None
    paused_because: str | None
    waves: tuple[WaveRow, ...]
    changes: tuple[ChangeRow, ...]
    change_count: int
    rebuilds: Page[RebuildRow]


@dataclass(frozen=True, slots=True)
class BotAtWork:
    """The bot at work, with the stages of the process that answers; `no_room` is what its store said last where
    nothing can be written for want of room."""

    operations: Operations
    stages: tuple[StageRow, ...]
    no_room: str | None = None


BotAtWork.__name__ = BotAtWork.__qualname__ = "Work"
"""What the API's description calls it, and clients that are made from that."""


def detail_of(page: RolloutPage, ended: tuple[str, ...]) -> RolloutDetail:
    """`ended` are the states that end a rebuild."""
    progress = page.progress
    return RolloutDetail(
        rollout_summary(progress, ended),
        progress.states,
        progress.pause.who if progress.pause else None,
        progress.pause.reason if progress.pause else None,
        tuple(map(_wave, progress.waves)),
        page.changes,
        page.change_count,
        page.rebuilds,
    )


def _wave(wave: WaveProgress) -> WaveRow:
    tally, hold = wave.tally, wave.held
    return WaveRow(
        wave.name,
        tally.waiting,
        tally.held,
        tally.under_way,
        tally.ended,
        tally.failed,
        tally.began_at,
        hold.reason if hold else None,
        hold.until if hold else None,
    )


def answered(request: Request, value: Any, kind: Any, page: Page[Any] | None = None) -> Response:
    """The value as JSON; 304 where the asker has it already. A page leads to those before and after it."""
    body = _adapter(kind).dump_json(value)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if page is not None and (links := _links(request, page)):
        headers["Link"] = ", ".join(links)
    if _has_it(request.headers.getlist("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _has_it(header_lines: Iterable[str], etag: str) -> bool:
    """Whether one of the asker's ETags is this one: a proxy that compresses answers has made it a weak one."""
    etags = [each.strip() for line in header_lines for each in line.split(",")]
    return "*" in etags or etag in [each.removeprefix("W/") for each in etags]


def _links(request: Request, page: Page[Any]) -> list[str]:
    targets = {"prev": page.page - 1, "next": page.page + 1, "last": page.pages}
    parameters = dict(request.query_params)
    return [
        f'<{request.url.path}?{urlencode({**parameters, "page": number})}>; rel="{name}"'
        for name, number in targets.items()
        if 1 <= number <= page.pages and number != page.page
    ]


@lru_cache(maxsize=32)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
