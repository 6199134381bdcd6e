"""The time that a question about what runs is asked of, as people write it."""

from datetime import UTC, date, datetime, time

from bot.domain.failure import Failure, Trouble
from bot.domain.running.exposure import Asked


def asked_of(at: datetime | None, since: datetime | None, now: datetime) -> Asked:
    """The same of times that were read already; of one that is yet to come nothing is known."""
    return Asked(now if at is None else _in_utc(at), None if since is None else _in_utc(since))


def _in_utc(moment: datetime) -> datetime:
    """Without a zone it is in UTC; so is one at the ends of the calendar."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)


def asked_time(at: str | None, since: str | None, now: datetime) -> Asked:
    """The time that is asked of; a day is its end, or as `since` its beginning. Raises `Failure`."""
    if at is not None and since is not None:
        raise Failure(Trouble.MALFORMED, "--at and --since are two questions", advice="give one of them")
    moment = now if at is None else _moment(at, "--at", time.max)
    begin = None if since is None else _moment(since, "--since", time.min)
    if at is not None and moment > now:
        moment = now if moment.date() == now.date() else moment
    if moment > now or (begin is not None and begin >= now):
        where = "--at" if at is not None else "--since"
        raise Failure(Trouble.MALFORMED, "that time is yet to come", where=where)
    return Asked(moment, begin)


def _moment(text: str, where: str, of_day: time) -> datetime:
    try:
        if len(text) == len("2026-03-10"):
            moment = datetime.combine(date.fromisoformat(text), of_day, UTC)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        advice = "as in 2026-03-10 or 2026-03-10T14:30+01:00"
        raise Failure(Trouble.MALFORMED, f"{text[:40]!r} is no date", where=where, advice=advice) from error
