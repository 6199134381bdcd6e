"""How rebuilds, bases and explanations are shown."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from bot.assess.notices.rules import span
from bot.cli.options import Format
from bot.cli.output import print_json, print_line, print_table
from bot.domain.change import Change
from bot.domain.notice import Notice
from bot.domain.rebuild import Rebuild
from bot.domain.reference import Base
from bot.domain.usage import Usage
from bot.service.one_off import History
from bot.store.views import Explanation, Status


def show_rebuilds(rebuilds: Sequence[Rebuild], output: Format) -> None:
    if output is Format.JSON:
        print_json([_rebuild(rebuild) for rebuild in rebuilds])
    elif not rebuilds:
        print_line("Nothing is planned.")
    else:
        print_table(
            ("repository", "what", "state", "due", "why"),
            [(r.repository, _what(r), r.state, _time(r.due_at), r.reason) for r in rebuilds],
        )


def show_status(status: Status, output: Format) -> None:
    if output is Format.JSON:
        print_json(_status(status))
        return
    print_line(f"{status.repositories} repositories, {len(status.bases)} bases")
    print_table(
        ("base", ".NET", "digest", "moved", "after the release", "repositories", "trouble"),
        [
            (b.base, b.version, _short(b.digest), _time(b.moved_at), _after(b.release_lag), b.repositories, b.error)
            for b in status.bases
        ],
    )
    if status.notices:
        print_table(
            ("notice", "since", "what upstream does not say"),
            [(n.topic, _time(n.since), n.text) for n in status.notices],
        )
    if status.rebuilds:
        print_table(
            ("rollout", "repository", "what", "state", "why"),
            [(r.rollout, r.repository, _what(r), r.state, r.reason) for r in status.rebuilds],
        )
    for incident in status.incidents:
        print_line(f"incident since {_time(incident.opened_at)}: {incident.detail}")
    for name, error in status.unreadable:
        print_line(f"{name}: {error}")
    for url, error in status.feed_errors:
        print_line(f"{url}: {error}")


def show_explanation(explained: Explanation, today: date, output: Format) -> None:
    if output is Format.JSON:
        print_json(_explanation(explained, today))
        return
    print_line(f"{explained.repository}, last read {_time(explained.read_at)}")
    if explained.error:
        print_line(explained.error)
    if not explained.config.enabled:
        print_line("It has opted out in .github/freshness.yaml: nothing is done for it.")
    print_table(
        ("file", "line", "reference", "role", "follows", "base is now at", "left alone"),
        [
            (
                *(usage.path, usage.line, usage.reference, usage.role),
                *(base.short if base else "nothing", _short(digest), _ignored(explained, usage, base, today)),
            )
            for usage, base, digest in explained.usages
        ],
    )
    print_table(
        ("at", "rebuild", "from", "to", "why"),
        [(_time(step.at), step.rebuild, step.before, step.after, step.reason) for step in explained.steps],
    )
    for problem in explained.problems:
        print_line(f"{problem.path}:{problem.line}: {problem.message}")


def _ignored(explained: Explanation, usage: Usage, base: Base | None, today: date) -> str | None:
    """Why the repository wants this usage left alone."""
    found = explained.config.ignored_by(usage.path, str(base or usage.reference.base), today)
    return str(found) if found else None


def _what(rebuild: Rebuild) -> str:
    if rebuild.url:
        return rebuild.url
    return f"dispatch {rebuild.workflow}" if rebuild.workflow else str(rebuild.action)


def _rebuild(rebuild: Rebuild) -> dict[str, Any]:
    return {
        "id": rebuild.id,
        "rollout": rebuild.rollout,
        "repository": rebuild.repository,
        "action": rebuild.action,
        "state": rebuild.state,
        "reason": rebuild.reason,
        "due_at": rebuild.due_at.isoformat(),
        "branch": rebuild.branch,
        "pull_request": rebuild.pull_request,
        "workflow": rebuild.workflow,
        "run": rebuild.run,
        "url": rebuild.url,
        "bases": [
            {"base": str(target.base), "from": target.from_digest, "to": target.to_digest}
            for target in rebuild.targets
        ],
    }


def _status(status: Status) -> dict[str, Any]:
    return {
        "repositories": status.repositories,
        "unreadable": [{"repository": name, "error": error} for name, error in status.unreadable],
        "bases": [
            {
                "base": str(item.base),
                "digest": item.digest,
                "version": item.version,
                "moved_at": item.moved_at.isoformat() if item.moved_at else None,
                "repositories": item.repositories,
                "error": item.error,
                "release_lag_seconds": _seconds(item.release_lag),
            }
            for item in status.bases
        ],
        "notices": [
            {
                "topic": item.topic,
                "base": str(item.base),
                "since": item.since.isoformat(),
                "text": item.text,
                "toward": [str(base) for base in item.toward],
            }
            for item in status.notices
        ],
        "rebuilds": [_rebuild(rebuild) for rebuild in status.rebuilds],
        "incidents": [
            {"subject": item.subject, "opened_at": item.opened_at.isoformat(), "detail": item.detail}
            for item in status.incidents
        ],
        "feed_errors": [{"url": url, "error": error} for url, error in status.feed_errors],
    }


def _explanation(explained: Explanation, today: date) -> dict[str, Any]:
    return {
        "repository": explained.repository,
        "read_at": explained.read_at.isoformat() if explained.read_at else None,
        "error": explained.error,
        "enabled": explained.config.enabled,
        "usages": [
            {
                **_usage(usage),
                "base": str(base) if base else None,
                "base_digest": digest,
                "left_alone": _ignored(explained, usage, base, today),
            }
            for usage, base, digest in explained.usages
        ],
        "rebuilds": [_rebuild(rebuild) for rebuild in explained.rebuilds],
        "steps": [
            {
                "at": step.at.isoformat(),
                "rebuild": step.rebuild,
                "from": step.before,
                "to": step.after,
                "reason": step.reason,
            }
            for step in explained.steps
        ],
        "problems": [
            {"file": item.path, "line": item.line, "message": item.message} for item in explained.problems
        ],
    }


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "file": usage.path,
        "line": usage.line,
        "reference": str(usage.reference),
        "role": usage.role,
        "stage": usage.stage,
    }


def _seconds(length: timedelta | None) -> int | None:
    return None if length is None else int(length.total_seconds())


def _after(lag: timedelta | None) -> str:
    if lag is None:
        return ""
    return f"{span(-lag)} before" if lag < timedelta() else span(lag)


def _short(digest: str | None) -> str:
    return digest[:19] if digest else "unknown"


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "never"


def show_history(history: History, output: Format) -> None:
    if output is Format.JSON:
        print_json(
            {
                "changes": [_change(change) for change in history.changes],
                "upstream": [_lag(notice) for notice in history.upstream],
            }
        )
        return
    if not history.changes:
        print_line("No change of this base has been seen yet.")
    else:
        print_table(
            ("at", "base", "cause", "severity", "what moved", "to digest"),
            [
                (_time(c.at), c.base.short, c.cause, c.severity, c.detail, _short(c.to_digest))
                for c in history.changes
            ],
        )
    if history.upstream:
        print_table(
            ("upstream", "since", "until", "what upstream did"),
            [(n.topic, _time(n.since), _time(n.until) if n.until else "", n.text) for n in history.upstream],
        )


def _lag(notice: Notice) -> dict[str, Any]:
    return {
        "topic": notice.topic,
        "base": str(notice.base),
        "since": notice.since.isoformat(),
        "until": notice.until.isoformat() if notice.until else None,
        "seconds": int(notice.delay.total_seconds()),
        "text": notice.text,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "at": change.at.isoformat(),
        "base": str(change.base),
        "from": change.from_digest,
        "to": change.to_digest,
        "cause": change.cause,
        "cause_at_detection": change.cause_at_detection,
        "from_version": change.from_version,
        "to_version": change.to_version,
        "cves": list(change.cves),
        "not_relevant": list(change.not_relevant),
        "links": dict(change.links),
        "severity": change.severity,
        "platforms": list(change.platforms),
        "detail": change.detail,
        "evidence": [
            {"source": item.source, "locator": item.locator, "seen_at": item.seen_at.isoformat()}
            for item in change.evidence
        ],
    }
