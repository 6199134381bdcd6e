"""How a repository stands, in one of the four words and one sentence: the answer with which `explain` begins."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.images.standing import ImageState
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState
from bot.domain.wording.words import counted, duration
from bot.views.four_words import FourWords, word_of
from bot.views.images.images import ImageView
from bot.views.repositories.explanation import Explanation


@dataclass(frozen=True, slots=True)
class RepositoryVerdict:
    """`sentence` can follow the word: `needs you: #12 is open, green, and unmerged for 2 days`."""

    word: FourWords
    sentence: str

    def __str__(self) -> str:
        return f"{self.word}: {self.sentence}"


def verdict_on(explained: Explanation, now: datetime) -> RepositoryVerdict:
    """Judges what stands in the way first: its files, its latest rebuild, its images, then what it pins."""
    if explained.error:
        return RepositoryVerdict(FourWords.NEEDS_YOU, f"it cannot be read: {explained.error}")
    if explained.config.unread:
        refusal = f"what it asks for is not understood: {explained.config.refusal}"
        return RepositoryVerdict(FourWords.NEEDS_YOU, refusal)
    if not explained.config.enabled:
        return RepositoryVerdict(FourWords.DONE, "it asks to be left alone")
    if not any(base for _, base, _ in explained.usages):
        return RepositoryVerdict(FourWords.DONE, "it names no watched base")
    latest = max(explained.rebuilds, key=lambda rebuild: rebuild.id, default=None)
    if latest is not None and (not latest.state.has_ended or word_of(latest.state) is FourWords.NEEDS_YOU):
        return _of_rebuild(explained, latest, now)
    return _of_images(explained) or _of_pins(explained)


def _of_rebuild(explained: Explanation, rebuild: Rebuild, now: datetime) -> RepositoryVerdict:
    word = word_of(rebuild.state)
    if rebuild.state is RebuildState.OPEN:
        return _of_request(rebuild, now)
    if rebuild.state.awaits_action:
        hold = explained.waits.get(rebuild.id)
        waits = rebuild.hindered_by or (f"it waits for {hold.reason}" if hold is not None else rebuild.reason)
        return RepositoryVerdict(word, f"its rebuild has not begun: {waits}")
    if rebuild.ended_at is not None:
        ended = duration(now - rebuild.ended_at)
        return RepositoryVerdict(word, f"its latest rebuild ended as {rebuild.state} {ended} ago: {rebuild.reason}")
    age = duration(rebuild.age(now))
    return RepositoryVerdict(word, f"its {_what(rebuild)} is {rebuild.state} for {age}: {rebuild.reason}")


def _of_request(rebuild: Rebuild, now: datetime) -> RepositoryVerdict:
    """An open pull request: green, it is left to people; else what keeps it from being merged is."""
    request = f"#{rebuild.pull_request} is open"
    if rebuild.ready_since is not None:
        merging = "and merges by itself" if rebuild.merging is not None else "and unmerged"
        sentence = f"{request}, green, {merging} for {duration(now - rebuild.ready_since)}"
        return RepositoryVerdict(FourWords.NEEDS_YOU, sentence)
    hindrance = rebuild.hindered_by or "not green yet"
    return RepositoryVerdict(FourWords.UNDER_WAY, f"{request} for {duration(rebuild.age(now))}: {hindrance}")


def _what(rebuild: Rebuild) -> str:
    return f"run of {rebuild.workflow}" if rebuild.action is Action.DISPATCH and rebuild.workflow else "rebuild"


def _of_images(explained: Explanation) -> RepositoryVerdict | None:
    """Of the image that stands worst; None where all are current, or none is known."""
    states = [view.image.state for view in explained.images]
    worst = min(states, key=list(ImageState).index, default=ImageState.CURRENT)
    if worst is ImageState.CURRENT:
        return None
    verb = "is" if states.count(worst) == 1 else "are"
    return RepositoryVerdict(word_of(worst), f"{_places(explained.images, worst)} {verb} {worst.in_words}")


def _places(views: tuple[ImageView, ...], state: ImageState) -> str:
    places = [view.image.place for view in views if view.image.state is state]
    return str(places[0]) if len(places) == 1 else counted(len(places), "image")


def _of_pins(explained: Explanation) -> RepositoryVerdict:
    """Whether what is pinned is what bases show."""
    followed = [(usage, digest) for usage, base, digest in explained.usages if base is not None]
    pinned = [(usage.reference.digest, digest) for usage, digest in followed if usage.reference.digest]
    stale = sum(pin != digest for pin, digest in pinned if digest is not None)
    if stale:
        late = f"{stale} of {counted(len(followed), 'usage')} not what its base shows"
        return RepositoryVerdict(FourWords.UNDER_WAY, late)
    if any(view.image.state is ImageState.CURRENT for view in explained.images):
        return RepositoryVerdict(FourWords.DONE, "its images stand on what its bases show")
    if len(pinned) == len(followed):
        fresh = f"all of {counted(len(pinned), 'usage')} pinned to what its bases show"
        return RepositoryVerdict(FourWords.DONE, fresh)
    unknown = "nothing shows what its images stand on: a tag floats, and no image is known"
    return RepositoryVerdict(FourWords.WAITING, unknown)
