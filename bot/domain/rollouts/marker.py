"""What a pull request's body says, in a hidden line, of what it brings: for a bot that has lost its store.

It is a hint of whoever could edit the body. Who reads it checks that the bot's own commit names the same digests,
and takes nothing global from it that registry and feeds do not show.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.domain.bases.change import Cause, Change, SecurityRelease, ToldWay
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base, InvalidReference, Reference
from bot.domain.rollouts.rebuild import Target

TRAILER = "Freshness-Base: "
"""How the line of a commit begins that names a base and the digest that it gets."""
SECTION = "<!-- freshness-bot rebuild "
"""How the hidden line begins with which the bot's section of a body does, where that is of a rebuild."""
LONGEST = 4_000
"""Bytes of the hidden line; of more the last targets are left out."""
_VERSION = 1
_UNSEEN = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_CVES = 100
_MOST_STEPS = 10
_LINE = re.compile(r"<!-- freshness-bot facts (?P<facts>\{[^\n<>]*\}) -->")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,63}", re.ASCII)
"""Of a .NET version or of a CVE."""


@dataclass(frozen=True, slots=True)
class MarkedTarget:
    """One base with the digests between which it moved, and the changes on that way that were seen, as far as they
    were known. `way` is what releases told of a pin that was older than these."""

    base: Base
    from_digest: str | None
    to_digest: str
    changes: tuple[Change, ...] = ()
    way: ToldWay | None = None

    @property
    def trailer(self) -> str:
        """The line by which the bot's commit says the same."""
        return trailer(self.base, self.to_digest)

    @property
    def seen_at(self) -> datetime | None:
        """When the base was seen to show what it gets, None where no change tells."""
        return self.changes[-1].at if self.changes else None


def trailer(base: Base, digest: str) -> str:
    return f"{TRAILER}{base}@{digest}"


def key_of(base: Base, digest: str) -> str:
    """A short name for a base's move to a digest, which is the same in every store."""
    return hashlib.sha256(f"{base}@{digest}".encode()).hexdigest()[:16]


def marked(
    targets: Sequence[Target], changes: Sequence[Change], ways: Mapping[Base, ToldWay]
) -> tuple[MarkedTarget, ...]:
    """What is to be marked of a rebuild's targets; `changes` are those that were seen, oldest first, and `ways` are
    what releases tell of pins that are older."""
    return tuple(
        MarkedTarget(
            target.base,
            target.from_digest,
            target.to_digest,
            tuple(_told(change) for change in changes if change.base == target.base and change.to_digest),
            _told_way(ways[target.base]) if target.base in ways else None,
        )
        for target in targets
    )


def _told_way(way: ToldWay) -> ToldWay:
    """Of a way what its text tells. Nobody saw it at a time: that is of its newest release, in every store."""
    newest = max((release.out_since for release in way.security_releases), default=_UNSEEN)
    return replace(way, change=replace(_told(way.change), at=newest))


def _told(change: Change) -> Change:
    """Of a change what its text tells."""
    return Change(
        *(change.base, change.at, change.from_digest, change.to_digest, change.cause, change.cause),
        *(change.from_version, change.to_version, change.cves, change.not_relevant),
        severity=change.severity,
    )


def marker_line(targets: Sequence[MarkedTarget]) -> str:
    """The hidden line; empty where nothing is to be said, or not even one target has room."""
    for count in range(len(targets), 0, -1):
        rows = [_written(target) for target in targets[:count]]
        text = json.dumps({"v": _VERSION, "targets": rows}, separators=(",", ":"))
        for sign in ("--", "<", ">"):
            text = text.replace(sign, "".join(f"\\u{ord(each):04x}" for each in sign))
        line = f"<!-- freshness-bot facts {text} -->"
        if len(line) <= LONGEST:
            return line
    return ""


def without_marker(text: str) -> str:
    return _LINE.sub("", text)


def _written(target: MarkedTarget) -> dict[str, Any]:
    row: dict[str, Any] = {"base": str(target.base), "from": target.from_digest, "to": target.to_digest}
    changes = [*target.changes, *([target.way.change] if target.way else [])]
    if len(changes) > _MOST_STEPS or any(len(each.cves) > _MOST_CVES for each in changes):
        return row
    row["changes"] = [_written_change(change) for change in target.changes]
    if target.way is not None:
        releases = [[each.version, each.out_since.isoformat()] for each in target.way.security_releases]
        row["way"] = _written_change(target.way.change) | {"releases": releases}
    return row


def _written_change(change: Change) -> dict[str, Any]:
    row = {
        "at": change.at.isoformat(),
        "from": change.from_digest,
        "to": change.to_digest,
        "cause": change.cause.value,
        "before": change.from_version,
        "after": change.to_version,
        "cves": list(change.cves),
        "spared": list(change.not_relevant),
        "severity": change.severity.value if change.severity else None,
    }
    return {name: value for name, value in row.items() if value}


def read_marker(body: str, beside: str = "") -> tuple[MarkedTarget, ...]:
    """Reads the hidden line of a body, or what stands beside it: nothing where there is none, or anything about it
    is not as it is written.

    Never raises, whatever the text.
    """
    line = _LINE.search(body) or _LINE.search(beside)
    if line is None or len(line[0]) > LONGEST:
        return ()
    try:
        facts = json.loads(line["facts"])
        if facts["v"] != _VERSION:
            return ()
        return tuple(_read_target(row) for row in facts["targets"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ()


def may_stand_beside(body: str) -> bool:
    """Whether a marker may stand beside a body: that is of a rebuild, and has none itself."""
    return SECTION in body and not read_marker(body)


def _read_target(row: Mapping[str, Any]) -> MarkedTarget:
    base = read_base(row["base"])
    if base is None:
        raise ValueError("a base is a name with a tag")
    target = MarkedTarget(base, _read(_DIGEST, row.get("from")), _required(_DIGEST, row["to"]))
    changes = tuple(_read_change(each, base) for each in row.get("changes", ()))
    return replace(target, changes=changes, way=_read_way(row["way"], base) if "way" in row else None)


def _read_way(row: Mapping[str, Any], base: Base) -> ToldWay:
    releases = [
        SecurityRelease(_read_moment(out_since), _required(_NAME, name)) for name, out_since in row["releases"]
    ]
    return ToldWay(_read_change(row, base), tuple(releases))


def _read_change(row: Mapping[str, Any], base: Base) -> Change:
    cause, at = Cause(row["cause"]), _read_moment(row["at"])
    return Change(
        *(base, at, _read(_DIGEST, row.get("from")), _required(_DIGEST, row["to"]), cause, cause),
        *(_read(_NAME, row.get("before")), _read(_NAME, row.get("after"))),
        *(_read_names(row.get("cves", [])), _read_names(row.get("spared", []))),
        severity=Severity(row["severity"]) if "severity" in row else None,
    )


def _read_moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without its zone")
    return moment


def read_base(text: object) -> Base | None:
    """The base whose whole name this is; None where it is none, or is written otherwise."""
    if not isinstance(text, str):
        return None
    try:
        reference = Reference.parse(text)
    except InvalidReference:
        return None
    if reference.tag is None or reference.digest is not None or str(reference.base) != text:
        return None
    return reference.base


def _read_names(rows: object) -> tuple[str, ...]:
    if not isinstance(rows, list):
        raise ValueError("names are a list")
    return tuple(_required(_NAME, row) for row in rows)


def _read(pattern: re.Pattern[str], text: object) -> str | None:
    return None if text is None else _required(pattern, text)


def _required(pattern: re.Pattern[str], text: object) -> str:
    if not isinstance(text, str) or pattern.fullmatch(text) is None:
        raise ValueError("not as it is written")
    return text
