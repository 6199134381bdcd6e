"""What maintainers hear of beside rollouts: incidents, and notices about bases."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.bases.notice import Topic
from bot.domain.reference import Base
from bot.domain.wording.message import Footnote, Line, Message, Paragraph, plain, strong
from bot.domain.wording.words import counted, duration, first_few
from bot.fleet.report.messages.phrases import LONGEST_DETAIL, capped_list, short, shown_time

_MOST_USERS = 10
_LABELS = {
    Topic.WITHDRAWN: "Withdrawn base",
    Topic.WAITING_FOR_BASE: "Waiting for base",
    Topic.MIRROR_BEHIND: "Mirror behind",
    Topic.ROLLBACK: "Rolled back",
    Topic.END_OF_LIFE: "End of life",
    Topic.MOVED_UNDERNEATH: "Changed underneath",
    Topic.RELEASE_LAG: "Behind the release",
    Topic.SIBLING_LAG: "Behind its sibling",
}

_TROUBLE = ("is in trouble", "is well again")
BLOCKS = "blocks"
"""The kind of incident that a repository causes whose failed rebuild others wait for."""
_SOURCE = "source"
"""The kind of incident of a source that tells nothing new."""
_STUCK = "stuck"
"""The kind of incident of an owner whose rebuilds have failed for a day."""
_CONTRADICTED = "contradicted"
"""The kind of incident of a repository whose image is said to stand on what its layers do not show."""
_TITLES = {
    BLOCKS: ("blocks whoever stands on its image", "blocks nobody any more"),
    "says less": ("says less than before, which is doubted for now", "is no longer in doubt"),
    "cycle": ("closes a circle of images", "closes no circle of images any more"),
    _SOURCE: ("stands still", "goes on again"),
    "delayed": ("cannot be worked on at present", "can be worked on again"),
    _STUCK: ("waits for a person", "waits for nobody any more"),
    _CONTRADICTED: ("has an image that contradicts itself", "has no image that contradicts itself any more"),
}
"""What is said of other incidents than those of places that do not answer."""
_NEEDS_PERSON = frozenset({BLOCKS, "cycle", _STUCK, _CONTRADICTED})
OF_REPOSITORY = frozenset({BLOCKS, _CONTRADICTED})
"""The kinds of incidents whose place is a repository, so that they go where its messages go."""


@dataclass(frozen=True, slots=True)
class IncidentNews:
    """An incident as maintainers hear of it; `kind` is the first word of its subject."""

    place: str
    opened_at: datetime
    cleared_at: datetime | None
    detail: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class NoticeNews:
    """A notice about a base as maintainers hear of it; `outcome` is how it ended, `repositories` use the base."""

    topic: Topic
    base: Base
    since: datetime
    text: str
    cleared_at: datetime | None
    outcome: str
    repositories: tuple[str, ...]


def incident_message(news: IncidentNews) -> Message:
    begin_words, end_words = _TITLES.get(news.kind, _TROUBLE)
    if news.cleared_at is None:
        title, text = f"{short(news.place)} {begin_words}", short(news.detail, LONGEST_DETAIL)
    else:
        lasted = duration(news.cleared_at - news.opened_at)
        title, text = f"{short(news.place)} {end_words}", f"The incident lasted {lasted}."
    since = Footnote(f"since {shown_time(news.opened_at)}")
    needs_person = news.kind in _NEEDS_PERSON and news.cleared_at is None
    return Message(title, (Paragraph((strong(title), plain(text))), since), needs_person=needs_person)


def notice_message(news: Sequence[NoticeNews]) -> Message:
    """One notice, or a summary of all that were found at once."""
    return _one_notice(news[0]) if len(news) == 1 else _several_notices(news)


def _one_notice(news: NoticeNews) -> Message:
    label, sentence = _LABELS[news.topic], short(_sentence(news), LONGEST_DETAIL)
    if news.cleared_at is not None:
        label += ", over"
    users = () if news.cleared_at else (plain(f"Used by {_users_in_words(news.repositories)}."),)
    began = "end of support" if news.topic is Topic.END_OF_LIFE else "since"
    until = f", over since {shown_time(news.cleared_at)}" if news.cleared_at else ""
    return Message(
        f"{label}: {sentence}",
        (
            Paragraph((strong(label), plain(sentence), *users)),
            Footnote(f"{began} {shown_time(news.since)}{until}"),
        ),
    )


def _several_notices(news: Sequence[NoticeNews]) -> Message:
    """Those that still hold come first, by topic."""
    topics = list(_LABELS)
    ordered = sorted(news, key=lambda item: (item.cleared_at is not None, topics.index(item.topic), item.base))
    open_bases = {item.base for item in news if item.cleared_at is None}
    if open_bases:
        title = f"{counted(len(open_bases), 'base image needs', 'base images need')} attention"
    else:
        title = f"All {len(news)} notices about base images are over"
    return Message(title, (Paragraph((strong(title),)), capped_list(map(_notice_line, ordered))))


def _notice_line(news: NoticeNews) -> Line:
    label, sentence = _LABELS[news.topic], _sentence(news)
    if news.cleared_at is not None:
        return plain(f"{label}, over: {sentence}")
    return plain(f"{label}: {sentence}. Used by {_users_in_words(news.repositories)}.")


def _sentence(news: NoticeNews) -> str:
    return news.text if news.cleared_at is None else f"{news.base.short}: {news.outcome}"


def _users_in_words(repositories: Sequence[str]) -> str:
    if not repositories:
        return "no repository any more"
    if len(repositories) > _MOST_USERS:
        return first_few(repositories, _MOST_USERS)
    *others, last = repositories
    return f"{', '.join(others)} and {last}" if others else last
