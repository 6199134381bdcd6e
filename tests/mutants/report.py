"""What a run found: figures of each room, and each mutant that survived."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

from rich.table import Table

from tests.mutants.mutants import Key, Written
from tests.mutants.trials import Outcome, Verdict

_Z = 1.96
"""Of the normal distribution, 95 % lie within so many deviations."""


@dataclass(frozen=True)
class Judged:
    """A mutant, what came of it, and why no test could tell it where somebody has judged it so."""

    room: str
    written: Written
    verdict: Verdict
    equivalent_because: str = ""

    @property
    def has_survived(self) -> bool:
        return self.verdict.outcome is Outcome.SURVIVED

    @property
    def is_missed(self) -> bool:
        """A test is missing."""
        return self.has_survived and not self.equivalent_because


def wilson(hits: int, tries: int) -> tuple[float, float]:
    """The interval that holds the true share with 95 %, after Wilson (1927); all where nothing was tried."""
    if not tries:
        return 0, 1
    share = hits / tries
    middle = (share + _Z**2 / (2 * tries)) / (1 + _Z**2 / tries)
    half = _Z / (1 + _Z**2 / tries) * sqrt(share * (1 - share) / tries + _Z**2 / (4 * tries**2))
    return max(0, middle - half), min(1, middle + half)


def figures(judged: Sequence[Judged], sizes: dict[str, int]) -> Table:
    """`sizes` says how many mutants each room has; equivalent ones are not among those that could be killed."""
    columns = ("room", "mutants", "tried", "equivalent", "survived", "of those that could be killed", "95 %")
    table = Table(*columns, title="Mutants")
    for room in sizes:
        table.add_row(*_row(room, sizes[room], [one for one in judged if one.room == room]))
    table.add_section()
    table.add_row(*_row("all", sum(sizes.values()), judged))
    return table


def _row(name: str, size: int, judged: Sequence[Judged]) -> list[str]:
    equivalent = sum(one.has_survived and bool(one.equivalent_because) for one in judged)
    missed = sum(one.is_missed for one in judged)
    possible = len(judged) - equivalent
    low, high = wilson(missed, possible)
    share = f"{missed / possible:.1%}" if possible else "-"
    return [name, f"{size:,}", str(len(judged)), str(equivalent), str(missed), share, f"{low:.1%} to {high:.1%}"]


def described(written: Written) -> str:
    place = f"{written.key.path}:{written.line} {written.key.function} ({written.mutant.operator})"
    return f"{place}\n{written.key.difference}"


def survivors(judged: Iterable[Judged]) -> str:
    """As entries of the file of equivalent mutants, where each still lacks its reason."""
    return "\n".join(
        f"# {one.written.key.path}:{one.written.line} {one.written.mutant.operator}\n{entry(one.written.key)}"
        for one in judged
        if one.is_missed
    )


def entry(key: Key) -> str:
    lines = [f"{name} = {_quoted(text)}" for name, text in vars(key).items()]
    return "\n".join(["[[equivalent]]", *lines, 'because = ""', ""])


def _quoted(text: str) -> str:
    if "\n" not in text and "'" not in text:
        return f"'{text}'"
    return f"'''\n{text}'''"


def equivalent(file: Path) -> dict[Key, str]:
    """Each mutant that somebody has judged to change nothing that is promised, with the reason."""
    entries = tomllib.loads(file.read_text()).get("equivalent", [])
    return {
        Key(*(told[name] for name in ("path", "function", "was", "becomes"))): told["because"] for told in entries
    }
