"""What another tool has found, joined to our own findings and told apart from them by the tool's name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.wording.escaping import code, markdown
from bot.domain.wording.words import counted

_COUNTS = frozenset({"error", "warning"})


@dataclass(frozen=True, slots=True)
class JoinedResult:
    """One result of a SARIF log; `check` begins with the name of the tool, `zizmor/template-injection`."""

    check: str
    level: str
    path: str
    line: int
    message: str

    @property
    def is_failure(self) -> bool:
        """Whether it is more than a note."""
        return self.level in _COUNTS


def joined_results(log: Mapping[str, Any], tool: str) -> tuple[JoinedResult, ...]:
    """The results of a log in the order of paths and lines; what is no result is passed over."""
    results = (
        _result(each, tool)
        for run in log.get("runs", ())
        if isinstance(run, dict)
        for each in run.get("results") or ()
        if isinstance(each, dict)
    )
    return tuple(sorted(results, key=lambda each: (each.path, each.line, each.check)))


def _result(result: Mapping[str, Any], tool: str) -> JoinedResult:
    rule = str(result.get("ruleId") or "unknown")
    place = _first(result.get("locations")).get("physicalLocation") or {}
    path = str((place.get("artifactLocation") or {}).get("uri") or "")
    line = (place.get("region") or {}).get("startLine")
    message = " ".join(str((result.get("message") or {}).get("text") or "").split())
    check = rule if rule.startswith(f"{tool}/") else f"{tool}/{rule}"
    return JoinedResult(
        check, str(result.get("level") or "warning"), path, line if isinstance(line, int) else 1, message
    )


def _first(items: object) -> Mapping[str, Any]:
    return items[0] if isinstance(items, list) and items and isinstance(items[0], dict) else {}


def joined_rows(results: Sequence[JoinedResult]) -> list[dict[str, Any]]:
    """Results as rows with the keys of a finding."""
    return [
        {
            "check": each.check,
            "outcome": "fails" if each.is_failure else "note",
            "path": each.path,
            "start_line": each.line,
            "end_line": each.line,
            "subject": "",
            "message": each.message,
            "settled_by": None,
            "severity": each.level,
            "fix": None,
        }
        for each in results
    ]


def joined_in_words(results: Sequence[JoinedResult], tool: str) -> str:
    """One line of how much a tool has found."""
    return f"{tool}: {counted(len(results), 'result')}"


def joined_markdown(results: Sequence[JoinedResult], tool: str) -> Iterator[str]:
    """The lines of a section of its own."""
    yield from ("", f"### {tool}", "")
    if not results:
        yield "Nothing was found."
        return
    yield from ("| where | rule | level | what |", "|---|---|---|---|")
    for each in results:
        place = code(f"{each.path}:{each.line}")
        yield f"| {place} | {code(each.check)} | {each.level} | {markdown(each.message).replace('|', '')} |"
