"""The ARGs before a Dockerfile's first FROM: what they are worth, and which characters they supply.

Source: BuildKit's `buildMetaArgs` and `defaultArgs`, and Docker's list of automatic platform ARGs.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Mapping
from functools import lru_cache

from bot.domain.platform import Platform
from bot.files.formats.dockerfile.lines import Fault, Instruction
from bot.files.formats.dockerfile.words import BadWord, expand, split_quoted
from bot.files.formats.source.spanned import Spanned

ASSUMED_PLATFORM = Platform("linux", "amd64")
OTHER_PLATFORMS = (Platform("linux", "arm64"), Platform("linux", "arm", "v7"), Platform("windows", "amd64"))
_AUTOMATIC = re.compile(r"(?:BUILD|TARGET)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT)\b")


class Arguments:
    """Collects the ARGs of a Dockerfile one instruction after the other, and evaluates them for a platform.

    `build_args` are the values that a build sets: a declared ARG with such a name takes that value instead of its
    default. Those in `shared` take theirs from a variable that may feed others too, so nothing is added to them.
    """

    def __init__(self, escape: str, build_args: Mapping[str, Spanned], shared: Collection[str] = ()) -> None:
        self.faults: list[Fault] = []
        self.declared_again: set[str] = set()
        self._escape = escape
        self._build_args = build_args
        self._shared = shared
        self._declared: list[tuple[str, Spanned | None, Instruction]] = []
        self._mentions_platform = False
        self._values: dict[Platform, dict[str, Spanned]] = {}

    def declare(self, instruction: Instruction) -> None:
        """Takes in an ARG instruction that stands before the first FROM."""
        for word in split_quoted(instruction.arguments, self._escape):
            name, equals, _ = word.text.partition("=")
            default = word.part(len(name) + 1, len(word)) if equals else None
            self._declared.append((name, default, instruction))
            self._mentions_platform |= default is not None and _AUTOMATIC.search(default.text) is not None

    def declare_again(self, instruction: Instruction) -> None:
        """Takes in an ARG instruction of a stage: without a default it uses the value from above for other ends."""
        if self._declared:
            self.declared_again.update(
                word.text for word in split_quoted(instruction.arguments, self._escape) if "=" not in word.text
            )

    def values(self, platform: Platform) -> Mapping[str, Spanned]:
        values = self._values.get(platform)
        if values is None:
            values = self._values[platform] = self._evaluate_values(platform)
        return values

    def depends_on_platform(self, word: Spanned) -> bool:
        """Whether the word, or an ARG that it may use, mentions an automatic platform ARG."""
        return "$" in word.text and (self._mentions_platform or _AUTOMATIC.search(word.text) is not None)

    def owner(self, offset: int) -> str | None:
        """The ARG whose value holds the character at `offset`: its default, or what the build gives it."""
        if (giver := self._giver(offset)) is not None:
            return giver
        name, default = self._around(offset)
        return name if default and default.place(0) <= offset <= default.place(-1) else None

    def is_last(self, offset: int) -> bool:
        """Whether the character ends the value that holds it, not counting a quote, and may be added to."""
        if (giver := self._giver(offset)) is not None:
            return giver not in self._shared and self._build_args[giver].places[-1] == offset
        _, default = self._around(offset)
        return default is not None and default.place(len(default.text.rstrip("\"'")) - 1) == offset

    def _giver(self, offset: int) -> str | None:
        return next((name for name, value in self._build_args.items() if offset in value.places), None)

    def _around(self, offset: int) -> tuple[str, Spanned | None]:
        number = bisect_right(self._declared, offset, key=_begin_of) - 1
        return self._declared[number][:2] if number >= 0 else ("", None)

    def _evaluate_values(self, platform: Platform) -> dict[str, Spanned]:
        values = dict(_automatic(platform))
        for name in values.keys() & self._build_args.keys():
            values[name] = self._build_args[name]
        for name, default, instruction in self._declared:
            if name in self._build_args:
                values[name] = self._build_args[name]
            elif default is not None:
                try:
                    values[name] = expand(default, values, self._escape)
                except BadWord as error:
                    fault = Fault(instruction.line, f"ARG {name} has no value: {error}")
                    if fault not in self.faults:
                        self.faults.append(fault)
        return values


def _begin_of(declared: tuple[str, Spanned | None, Instruction]) -> int:
    _, default, instruction = declared
    return default.place(0) if default else instruction.start


def _outside(text: str, near: int) -> Spanned:
    """A value that the file does not hold."""
    return Spanned(text, (~near,) * len(text))


@lru_cache(maxsize=8)
def _automatic(platform: Platform) -> Mapping[str, Spanned]:
    values = {"TARGETSTAGE": "default"}
    for side in ("BUILD", "TARGET"):
        values[f"{side}PLATFORM"] = str(platform)
        values[f"{side}OS"] = platform.os
        values[f"{side}OSVERSION"] = ""
        values[f"{side}ARCH"] = platform.architecture
        values[f"{side}VARIANT"] = platform.variant
    return {name: _outside(value, 0) for name, value in values.items()}
