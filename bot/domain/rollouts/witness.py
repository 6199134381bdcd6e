"""What the fleet's issue says, in a hidden line, of a bot that was here: for one whose store is gone.

It tells the day of its last pass, and what people had said by command, in words for people. Holds and quarantines
stand there once more as data, and are put back once a person lets the bot go on; the rest that still holds is said
again. Whoever may edit the issue may write all of it, so that all it does is keep the bot from beginning: a forged
hold or quarantine delays rebuilds until somebody ends it, as each is ended, and does no other harm.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot.domain.reference import Base
from bot.domain.rollouts.marker import read_base
from bot.domain.wording.words import counted

MOST_SAID = 20
LONGEST_SAID = 160
_LONGEST_REASON = 400
_LONGEST_WHO = 100
_VERSION = 1
_LONGEST = 30_000
"""Of the line; the last that is to be put back is left out of one that would be longer."""
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HELD = re.compile(r"held by .+: .+")
_LINE = re.compile(r"<!-- freshness-bot witness (?P<facts>\{[^\n<>]*\}) -->")


@dataclass(frozen=True, slots=True)
class SaidHold:
    """A repository was held; `because` says by whom and why, as it is kept."""

    repository: str
    because: str

    @property
    def subject(self) -> str:
        return f"hold {self.repository}"

    @property
    def told(self) -> str:
        return self.because


@dataclass(frozen=True, slots=True)
class SaidQuarantine:
    """A digest of a base was quarantined."""

    base: Base
    digest: str
    who: str
    reason: str

    @property
    def subject(self) -> str:
        return f"quarantine {self.base}@{self.digest}"

    @property
    def told(self) -> str:
        return f"quarantined by {self.who}: {self.reason}"


Said = SaidHold | SaidQuarantine
"""What people had said and can be put back: it only holds back."""


@dataclass(frozen=True, slots=True)
class Witness:
    """The day of the last pass, and of what people have said, and of what the bot has stopped by itself, a line
    each; `said_in_all` counts those that are not told too. `to_put_back` are those that can be."""

    day: date
    said: tuple[str, ...] = ()
    said_in_all: int = 0
    to_put_back: tuple[Said, ...] = ()


def witness_line(witness: Witness) -> str:
    """The hidden line, of bounded length."""
    orders = written_said(witness.to_put_back)
    line = _line(witness, orders)
    while orders and len(line) > _LONGEST:
        orders = orders[:-1]
        line = _line(witness, orders)
    return line


def _line(witness: Witness, orders: Sequence[Mapping[str, str]]) -> str:
    said = [line[:LONGEST_SAID] for line in witness.said[:MOST_SAID]]
    facts = {"v": _VERSION, "day": witness.day.isoformat(), "said": said, "in_all": witness.said_in_all}
    text = json.dumps(facts | ({"orders": list(orders)} if orders else {}), separators=(",", ":"))
    for sign in ("--", "<", ">"):
        text = text.replace(sign, "".join(f"\\u{ord(each):04x}" for each in sign))
    return f"<!-- freshness-bot witness {text} -->"


def written_said(said: Sequence[Said]) -> list[dict[str, str]]:
    """As data, at most `MOST_SAID` of them; what is too long is cut."""
    return [_written(each) for each in said[:MOST_SAID]]


def _written(said: Said) -> dict[str, str]:
    if isinstance(said, SaidHold):
        return {"hold": said.repository, "because": _cut(said.because, _LONGEST_REASON)}
    names = {"quarantine": str(said.base), "digest": said.digest}
    return names | {"who": _cut(said.who, _LONGEST_WHO), "reason": _cut(said.reason, _LONGEST_REASON)}


def _cut(text: str, longest: int) -> str:
    return " ".join(text.split())[:longest].rstrip()


def read_said(rows: object) -> tuple[Said, ...]:
    """Reads what is to be put back; one that is not exactly as it is written is left out. Never raises."""
    each_read = (_read_said(row) for row in rows[:MOST_SAID]) if isinstance(rows, list) else ()
    return tuple(dict.fromkeys(said for said in each_read if said is not None))


def _read_said(row: object) -> Said | None:
    if not isinstance(row, dict) or not all(isinstance(text, str) and text.isprintable() for text in row.values()):
        return None
    if row.keys() == {"hold", "because"}:
        because = row["because"]
        is_hold = (
            _REPOSITORY.fullmatch(row["hold"]) and _HELD.fullmatch(because) and len(because) <= _LONGEST_REASON
        )
        return SaidHold(row["hold"], because) if is_hold else None
    if row.keys() != {"quarantine", "digest", "who", "reason"}:
        return None
    base, who, reason = read_base(row["quarantine"]), row["who"], row["reason"]
    is_bounded = 0 < len(who) <= _LONGEST_WHO and 0 < len(reason) <= _LONGEST_REASON
    if base is None or not is_bounded or _DIGEST.fullmatch(row["digest"]) is None:
        return None
    return SaidQuarantine(base, row["digest"], who, reason)


def read_witness(body: str) -> Witness | None:
    """Reads the hidden line of a body; None where there is none. One that cannot be read is no sign that nobody was
    here: it says so much, and no more. Never raises."""
    line = _LINE.search(body)
    if line is None:
        return None
    try:
        facts = json.loads(line["facts"][:_LONGEST])
        if facts["v"] != _VERSION:
            return Witness(date.min)
        said = tuple(str(each)[:LONGEST_SAID] for each in list(facts["said"])[:MOST_SAID])
        day, in_all = date.fromisoformat(facts["day"]), max(int(facts["in_all"]), len(said))
        return Witness(day, said, in_all, read_said(facts.get("orders", [])))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return Witness(date.min)


def why_paused(witness: Witness) -> str:
    """Words for people why the bot waits, and what they had said."""
    seen = "" if witness.day == date.min else f", last on {witness.day.isoformat()}"
    begins = f"this store is new, and the bot was here before{seen}; what people had said then is to be said again"
    if witness.to_put_back:
        number = counted(len(witness.to_put_back), "hold or quarantine", "holds and quarantines")
        begins += f", but for {number} that `freshness-bot resume` puts back"
    more = witness.said_in_all - len(witness.said)
    lines = [*witness.said, *([f"and {more} more"] if more > 0 else [])]
    return f"{begins}: {'; '.join(lines)}" if lines else f"{begins}, as far as it was said"
