"""The bot's own section of a pull request's body, between two hidden lines; the rest belongs to people.

The first hidden line names the digests that the pull request is for, and a short hash of the title that the bot
gave it: a title with another hash is a person's. Both are data for the bot, not for readers.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.forge.pull_requests import MOST_BODY, PullRequest, RequestChange
from bot.domain.rollouts.marker import SECTION, without_marker

_DATA = re.compile(SECTION + r"(?P<digests>[^\s>]*)(?: title=(?P<title>[0-9a-f]{12}))? -->")
_CLOSED = "<!-- freshness-bot closed -->"
_END = "<!-- freshness-bot end -->"
_PACKAGES = "<!-- freshness-bot packages -->"
_PACKAGES_END = "<!-- freshness-bot packages end -->"
_SHORTENED = "\n\n(shortened)"
_FENCE = re.compile(r" *`{3,}")


@dataclass(frozen=True, slots=True)
class OwnSection:
    """What the bot has in a body. `titled` is the hash of the title it gave, None where none is recorded."""

    digests: frozenset[str] = frozenset()
    titled: str | None = None
    is_closed_by_us: bool = False


def section_in(body: str) -> OwnSection:
    data = _DATA.search(body)
    closed = _CLOSED in body
    if data is None:
        return OwnSection(is_closed_by_us=closed)
    return OwnSection(frozenset(filter(None, data["digests"].split(","))), data["title"], closed)


def has_room(marker: str, most: int) -> bool:
    """Whether a body has room for the marker: it takes less than half of it."""
    return len(marker) * 2 < most


def marked_section(text: str, digests: Iterable[str], title: str, marker: str = "") -> str:
    """Puts a text between the hidden lines by which the section is found again; `marker` is one more, of what is
    known of the digests."""
    first = f"{SECTION}{','.join(digests)} title={hash_of(title)} -->"
    lines = [first, *([marker] if marker else [])]
    return "\n".join([*lines, text, _END])


def in_packages_part(text: str) -> str:
    """Puts what is told of packages between the hidden lines by which it is found again; empty where that is."""
    return f"{_PACKAGES}\n{text}\n{_PACKAGES_END}" if text else ""


def packages_part(body: str) -> str:
    """Finds what the bot's section says of packages; empty where it says nothing, or was cut short there."""
    start, end = _bounds(body)
    _, _, rest = body[start:end].partition(f"{_PACKAGES}\n")
    text, is_whole, _ = rest.partition(f"\n{_PACKAGES_END}")
    return text if is_whole else ""


def hash_of(title: str) -> str:
    return hashlib.sha256(title.encode(errors="replace")).hexdigest()[:12]


def with_section(body: str, section: str, most: int = MOST_BODY) -> str:
    """The body with the bot's section replaced, or appended where a person took it out.

    Where both are too long for one body, the section is cut: what people have written stays.
    """
    before, after = _split_around_section(body)
    first, _, text = section.removesuffix(f"\n{_END}").partition("\n")
    return _join_parts(before, (f"{first}\n", text, f"\n{_END}"), after, most)


def rewritten(
    current: PullRequest, branch: str, onto: str, title: str, section: str, most: int = MOST_BODY
) -> RequestChange:
    """New text where it differs; a title that a person changed stays, as does what people wrote into the body."""
    is_ours = section_in(current.body).titled == hash_of(current.title)
    text = with_section(current.body, section, most)
    return RequestChange(
        branch,
        onto,
        current,
        title if is_ours and title != current.title else None,
        text if text != current.body else None,
    )


def closed(body: str, reason: str, most: int = MOST_BODY) -> str:
    """What the bot closes by itself says why, and no longer counts as the word of a maintainer."""
    before, after = _split_around_section(body)
    start, end = _bounds(body)
    text = without_marker(_DATA.sub("", body[start:end])).replace(_CLOSED, "").replace(_END, "").strip("\n")
    return _join_parts(before, (f"{_CLOSED}\n**Closed by the bot:** {reason}.\n\n", text, f"\n{_END}"), after, most)


def declined(body: str, reason: str, most: int = MOST_BODY) -> str:
    """What the bot closes because a person said so: it keeps the digests, which count as declined."""
    before, after = _split_around_section(body)
    start, end = _bounds(body)
    first, _, text = body[start:end].removesuffix(_END).rstrip("\n").partition("\n")
    section = (f"{first}\n" if text else first, text, f"\n\n**Closed by the bot:** {reason}.\n{_END}")
    return _join_parts(before, section, after, most)


def _join_parts(before: str, section: tuple[str, str, str], after: str, most: int) -> str:
    """People's words around the section: how it begins, its text, of which the end is cut where it must be, and how
    it ends."""
    begins, text, ends = section
    around = (before.rstrip("\n"), after.lstrip("\n"))
    room = most - sum(len(part.encode(errors="replace")) + 2 for part in (*around, begins, ends))
    whole = f"{begins}{shortened(text, room)}{ends}"
    return "\n\n".join(part for part in (around[0], whole, around[1]) if part)


def shortened(text: str, room: int) -> str:
    """A text of at most `room` bytes, cut at a line end, so that no table row or link is torn; what is open there
    is closed, so that nothing behind it is taken for a part of it."""
    data = text.encode(errors="replace")
    if len(data) <= room:
        return text
    most = max(room - len(_SHORTENED), 0)
    while True:
        beginning = data[:most].decode(errors="ignore").rpartition("\n")[0]
        ends = _ends_of_open_parts(beginning)
        cut = f"{beginning}{ends}{_SHORTENED}"
        if not beginning or len(cut.encode()) <= room:
            return cut
        most = max(most - len(ends), 0)


def _ends_of_open_parts(text: str) -> str:
    """What closes the block of code and the folded parts that a text leaves open."""
    fence, folded = "", 0
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if fence:
            fence = "" if line.strip() == fence.strip() else fence
        elif mark is not None:
            fence = mark[0]
        else:
            folded += line.count("<details>") - line.count("</details>")
    return (f"\n{fence}" if fence else "") + "\n\n</details>" * folded


def _split_around_section(body: str) -> tuple[str, str]:
    start, end = _bounds(body)
    return body[:start], body[end:]


def _bounds(body: str) -> tuple[int, int]:
    """Where the section is; at the end, and empty, where there is none.

    Up to version 0.1 the bot wrote the whole body, with the hidden line at its end.
    """
    for start in (body.find(_CLOSED), _start_of_data(body)):
        if start >= 0 and (end := body.find(_END, start)) >= 0:
            return start, end + len(_END)
    data = _DATA.search(body)
    return (0, data.end()) if data is not None and data["title"] is None else (len(body), len(body))


def _start_of_data(body: str) -> int:
    data = _DATA.search(body)
    return -1 if data is None else data.start()
