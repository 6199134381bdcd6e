"""What each file names, read by the format that its path tells."""

from collections.abc import Iterable
from dataclasses import replace

from bot.domain.repositories.usage import Findings, Kind, SourceProblem
from bot.files.formats.other_builds import with_untold
from bot.files.formats.rewrite import marker
from bot.files.formats.source.text import decode
from bot.files.formats.table import format_of, kind_of_file

LARGEST_FILE = 1 << 20
"""Bytes: a Dockerfile or manifest beyond that was not written by hand."""

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def find_usages(path: str, data: bytes, kind: Kind | None = None) -> Findings:
    """Finds all that a file names, with the markers above it; never raises, what cannot be read is one problem.

    `kind` tells the kind of a file whose path and text do not.
    """
    kind = kind or kind_in(path, data)
    if kind is None:
        return Findings()
    if (refused := refusal(data)) is not None:
        return _unread(path, refused)
    text = decode(data)
    try:
        findings = format_of(kind).read(path, text)
        if format_of(kind).tells_untold:
            findings = with_untold(path, text, findings)
    except Exception as error:
        return _unread(path, f"could not be read ({type(error).__name__}); please report this file")
    return replace(
        findings, usages=marker.attached(findings.usages, text), problems=one_for_each_file(findings.problems)
    )


def refusal(data: bytes) -> str | None:
    """Why no reader takes a file's bytes and, behind a semicolon, what to do about it; None where they are taken.

    `data` may be cut behind `LARGEST_FILE`.
    """
    if len(data) > LARGEST_FILE:
        return too_large()
    if data.startswith(_LFS_POINTER):
        return "is kept in Git LFS, which is not read, so nothing in it is watched; keep it in Git itself"
    if b"\0" in data:
        return "holds NUL bytes, so it is no text file in UTF-8; convert it"
    return None


def kind_in(path: str, data: bytes) -> Kind | None:
    """What kind a file is by its path, or by its text where the path does not tell; None where it has none."""
    return kind_of_file(path, lambda: decode(data) if is_text(data) else "")


def is_text(data: bytes) -> bool:
    """Whether a file is read as text: it has at most `LARGEST_FILE` bytes, and no NUL."""
    return len(data) <= LARGEST_FILE and b"\0" not in data


def too_large(size: int | None = None) -> str:
    """What to say of a file beyond `LARGEST_FILE`, with its size in bytes where that is known."""
    count = "" if size is None else f" ({size:,} bytes)"
    return (
        f"larger than {LARGEST_FILE >> 10} KiB{count}, so it is not read and nothing in it is watched; "
        "split it, or name its images in a smaller file"
    )


def one_for_each_file(problems: Iterable[SourceProblem]) -> tuple[SourceProblem, ...]:
    """The first problem of each file in the order of its lines, with a count of the others: whoever opens the file
    sees those too."""
    by_path: dict[str, list[SourceProblem]] = {}
    for problem in problems:
        by_path.setdefault(problem.path, []).append(problem)
    return tuple(_with_count(sorted(of_file, key=lambda each: each.line)) for of_file in by_path.values())


def _with_count(problems: list[SourceProblem]) -> SourceProblem:
    first, *others = problems
    if not others:
        return first
    return replace(first, message=f"{first.message} (and {len(others)} more in this file)")


def _unread(path: str, why: str) -> Findings:
    return Findings(problems=(SourceProblem(path, 1, why),))
