"""What is in trouble outside and stops no rebuild by itself: counted by kind, with what a person does about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.domain.wording.words import counted
from bot.views.bases.base import is_in_trouble
from bot.views.bases.upstream import shown_address
from bot.views.fleet.status import Status


class TroubleKind(StrEnum):
    """What is in trouble, as it is told."""

    INCIDENT = "incident"
    BASE = "base"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class _Words:
    one: str
    several: str
    way_out: str


_WORDS: Mapping[TroubleKind, _Words] = {
    TroubleKind.INCIDENT: _Words("incident", "incidents", "each ends by itself once what it names is mended"),
    TroubleKind.BASE: _Words("base", "bases", "mend its name, its credentials or its copy"),
    TroubleKind.DOCUMENT: _Words(
        "document of a feed",
        "documents of feeds",
        "let the bot reach it, or bring a bundle: `freshness-bot feeds bundle import`",
    ),
}


@dataclass(frozen=True, slots=True)
class TroubleGroup:
    """All of one kind: how many, and what the first of them is about."""

    kind: TroubleKind
    number: int
    first: str

    @property
    def counted(self) -> str:
        words = _WORDS[self.kind]
        return counted(self.number, words.one, words.several)

    @property
    def way_out(self) -> str:
        return _WORDS[self.kind].way_out

    @property
    def sentence(self) -> str:
        """`1 base (contoso/golden:1): mend its name, its credentials or its copy`; of several none is named."""
        alone = f" ({self.first})" if self.number == 1 else ""
        return f"{self.counted}{alone}: {self.way_out}"


def troubles_of(status: Status) -> tuple[TroubleGroup, ...]:
    """Groups what is in trouble; each kind of which there is any."""
    said = {
        TroubleKind.INCIDENT: [incident.subject for incident in status.incidents],
        TroubleKind.BASE: [str(base.base) for base in status.bases if is_in_trouble(base)],
        TroubleKind.DOCUMENT: [shown_address(url).partition("://")[2] for url, _ in status.feed_errors],
    }
    return tuple(TroubleGroup(kind, len(each), each[0]) for kind, each in said.items() if each)


def as_json(groups: tuple[TroubleGroup, ...]) -> list[dict[str, Any]]:
    """Gives them as plain JSON values."""
    return [
        {"kind": group.kind.value, "number": group.number, "first": group.first, "way_out": group.way_out}
        for group in groups
    ]
