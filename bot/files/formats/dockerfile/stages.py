"""A Dockerfile's build stages: what each FROM stands on.

Source: BuildKit's `parseFrom` and `toDispatchState`. FROM sees the stages above it only.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bot.domain.platform import InvalidPlatform, Platform
from bot.files.formats.dockerfile.arguments import ASSUMED_PLATFORM, OTHER_PLATFORMS, Arguments
from bot.files.formats.dockerfile.lines import Fault, Instruction
from bot.files.formats.dockerfile.words import NOTHING, BadWord, expand, split_blanks, split_flags
from bot.files.formats.source.spanned import Spanned

EMPTY_IMAGE = "scratch"
_WINDOWS = "windows"
"""A system alone is that on the architecture that builds it, which for Windows is one."""
_STAGE_NAME = re.compile(r"[a-z][a-z0-9_.-]*")


@dataclass(frozen=True, slots=True, eq=False)
class BuildStage:
    """One FROM: on an `image`, on other stages, or on neither (`scratch`, or nothing that makes sense).

    Only the platform built for can choose among several `bases`. `word` is the image as written; `platforms` is
    empty where the file alone does not tell.
    """

    instruction: Instruction
    number: int
    name: str | None
    word: Spanned
    image: Spanned | None = None
    bases: tuple["BuildStage", ...] = ()
    platforms: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return self.name or str(self.number)

    @property
    def roots(self) -> set["BuildStage"]:
        """The stages, here or below, that stand on no other."""
        below, waiting = {self}, [self]
        while waiting:
            new = [base for base in waiting.pop().bases if base not in below]
            below.update(new)
            waiting += new
        return {stage for stage in below if not stage.bases}


def resolve(
    instructions: Sequence[Instruction], arguments: Arguments, escape: str
) -> tuple[list[BuildStage], dict[str, BuildStage], list[Fault]]:
    """The stages in order, the same by name in lower case (the last of a name counts), and what is wrong."""
    stages: list[BuildStage] = []
    by_name: dict[str, BuildStage] = {}
    faults: list[Fault] = []
    for instruction in instructions:
        line = instruction.arguments
        flags, begin = split_flags(line, escape)
        words = split_blanks(line.part(begin, len(line)))
        # A template may have put any number of words before AS: its name is known all the same.
        name = words[-1].text.lower() if len(words) >= 3 and words[-2].text.lower() == "as" else None
        word = words[0] if words else NOTHING
        standing = _Standing()
        try:
            if len(words) != (1 if name is None else 3):
                raise BadWord("it takes one image, and AS with a name if you like")
            standing = _standing(word, flags, by_name, arguments, escape)
            if name is not None and not _STAGE_NAME.fullmatch(name):
                raise BadWord(f"{name[:80]!r} is no name for a stage")
        except BadWord as error:
            faults.append(Fault(instruction.line, f"FROM {word.text[:80]}: {error}"))
        stage = BuildStage(instruction, len(stages), name, word, *standing)
        stages.append(stage)
        if name is not None:
            by_name[name] = stage
    return stages, by_name, faults


class _Standing(NamedTuple):
    """What a stage stands on, as in `BuildStage`."""

    image: Spanned | None = None
    bases: tuple[BuildStage, ...] = ()
    platforms: tuple[str, ...] = ()


def _standing(
    word: Spanned, flags: Sequence[Spanned], by_name: Mapping[str, BuildStage], arguments: Arguments, escape: str
) -> _Standing:
    """Raises `BadWord`."""
    candidates = _on_platforms(word, arguments, escape)
    names = dict.fromkeys(it.text.lower() for it in candidates)
    bases = tuple(by_name[name] for name in names if name in by_name)
    image = candidates[0] if not bases and candidates[0].text != EMPTY_IMAGE else None
    platforms = _platforms(flags, arguments, escape)
    if image is not None and not platforms and any(it.text != image.text for it in candidates):
        platforms = (str(ASSUMED_PLATFORM),)
    return _Standing(image, bases, platforms)


def _on_platforms(word: Spanned, arguments: Arguments, escape: str) -> list[Spanned]:
    """What the word is for each platform that is worth a try; only some variables make a difference."""
    first = expand(word, arguments.values(ASSUMED_PLATFORM), escape)
    if not arguments.depends_on_platform(word):
        return [first]
    return [first, *(expand(word, arguments.values(platform), escape) for platform in OTHER_PLATFORMS)]


def _platforms(flags: Sequence[Spanned], arguments: Arguments, escape: str) -> tuple[str, ...]:
    platform_flag = next((flag for flag in flags if flag.text.startswith("--platform=")), None)
    if platform_flag is None:
        return ()
    word = platform_flag.part(len("--platform="), len(platform_flag))
    texts = {spanned.text for spanned in _on_platforms(word, arguments, escape)}
    platform = texts.pop()
    if platform == _WINDOWS:
        platform = f"{_WINDOWS}/amd64"
    try:
        return () if texts else (str(Platform.parse(platform)),)
    except InvalidPlatform:
        return ()
