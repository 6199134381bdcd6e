"""The same instructions as BuildKit's own parser finds, through its Python binding."""

import json
from pathlib import Path

import dockerfile as buildkit
import pytest
from hypothesis import given

from bot.files.formats.dockerfile.lines import read
from bot.files.formats.dockerfile.words import split_blanks, split_flags
from tests.unit.files.formats.dockerfile.texts import dockerfiles

WITH_FLAGS = ("from", "copy", "add", "run")


def ours(text: str) -> list[tuple[object, ...]]:
    script = read(text)
    rows: list[tuple[object, ...]] = []
    for instruction in script.instructions:
        inner = instruction.nested() if instruction.keyword == "onbuild" else None
        row: tuple[object, ...] = (
            instruction.keyword,
            inner.keyword if inner else None,
            instruction.line,
            instruction.last_line,
        )
        if instruction.keyword in WITH_FLAGS and script.escape == "\\":
            flags, begin = split_flags(instruction.arguments, script.escape)
            row += (tuple(flag.text for flag in flags),)
            if instruction.keyword == "from":
                row += (tuple(word.text for word in split_blanks(instruction.arguments.part(begin, 1 << 20))),)
        rows.append(row)
    return rows


def theirs(text: str) -> list[tuple[object, ...]]:
    escape = read(text).escape
    rows: list[tuple[object, ...]] = []
    for command in buildkit.parse_string(text):
        if command.cmd is None:  # a continuation character alone
            continue
        keyword = command.cmd.lower()
        sub = command.sub_cmd.lower() if command.sub_cmd else None
        row: tuple[object, ...] = (keyword, sub, command.start_line, command.end_line)
        if keyword in WITH_FLAGS and escape == "\\":
            row += (command.flags,)
            if keyword == "from":
                row += (tuple(word for word in command.value if word),)
        rows.append(row)
    return rows


def agree(text: str) -> None:
    try:
        expected = theirs(text)
    except buildkit.GoParseError:
        read(text)
        return
    assert ours(text) == expected


@given(dockerfiles())
def test_the_instructions_are_those_that_buildkit_parses(text: str) -> None:
    agree(text)


def test_the_instructions_of_public_test_suites_are_those_that_buildkit_parses(shared: Path) -> None:
    lines = (shared / "cases" / "discover.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [case["content"] for case in map(json.loads, lines) if case["kind"] == "dockerfile"]
    assert texts
    for text in texts:
        agree(text)


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nRUN echo \"<<EOF\nFROM b\nEOF",
        "FROM a\nRUN <<-EOF\n\tx\n\tEOF\r\nRUN z",
        "FROM a\nCOPY <<a <<'b c' /\n1\na\n2\nb c\nRUN z",
        "FROM a\nRUN cat 3<<EOF\nEOF\nRUN z",
        "FROM a\nRUN [\"x\", 1]\nRUN z",
        "FROM \\\n# c\n\n  b AS c\nRUN z \\\n",
        "\\\nFROM a",
        "FROM a\\\\\nRUN b",
        "\x0bFROM a\n\u00a0RUN b",
    ],
)  # fmt: skip
def test_corners_are_read_as_buildkit_reads_them(text: str) -> None:
    agree(text)
