"""What the fleet's issue says, in a hidden line, of a bot that was here: for one whose store is gone.

It tells the day of its last pass, and what people had said by command, in words for people: whoever starts an empty
store checks these and says again what still holds. Whoever may edit the issue may write it, so that all it does is
keep the bot from beginning.
"""

import json
import re
from dataclasses import dataclass
from datetime import date

MOST_SAID = 20
LONGEST_SAID = 160
_VERSION = 1
_LONGEST = 8_000
_LINE = re.compile(r"<!-- freshness-bot witness (?P<facts>\{[^\n<>]*\}) -->")


@dataclass(frozen=True, slots=True)
class Witness:
    """The day of the last pass, and of what people have said, and of what the bot has stopped by itself, a line
    each; `said_in_all` counts those that are not told too."""

    day: date
    said: tuple[str, ...] = ()
    said_in_all: int = 0


def witness_line(witness: Witness) -> str:
    """The hidden line, of bounded length."""
    said = [line[:LONGEST_SAID] for line in witness.said[:MOST_SAID]]
    facts = {"v": _VERSION, "day": witness.day.isoformat(), "said": said, "in_all": witness.said_in_all}
    text = json.dumps(facts, separators=(",", ":"))
    for sign in ("--", "<", ">"):
        text = text.replace(sign, "".join(f"\\u{ord(each):04x}" for each in sign))
    return f"<!-- freshness-bot witness {text} -->"


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
        return Witness(date.fromisoformat(facts["day"]), said, max(int(facts["in_all"]), len(said)))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return Witness(date.min)


def why_paused(witness: Witness) -> str:
    """Words for people why the bot waits, and what they had said."""
    seen = "" if witness.day == date.min else f", last on {witness.day.isoformat()}"
    begins = f"this store is new, and the bot was here before{seen}; what people had said then is to be said again"
    more = witness.said_in_all - len(witness.said)
    lines = [*witness.said, *([f"and {more} more"] if more > 0 else [])]
    return f"{begins}: {'; '.join(lines)}" if lines else f"{begins}, as far as it was said"
