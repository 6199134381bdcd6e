"""Which stages of a Dockerfile are made to be run, and which only to be tried out or built on."""

import re

from bot.files.audit.images.dockerfile import COPYING, STARTING, Dockerfile
from bot.files.formats.dockerfile.stages import BuildStage

_TESTS = re.compile(
    r"\bdotnet[\"',\s]+(?:vs)?test\b|\b(?:npm|yarn|pnpm)[\"',\s]+(?:run[\"',\s]+)?test\b|\bpytest\b"
)
_PUBLISHES = re.compile(r"\bdotnet\s+(?:publish|pack)\b")
_NAMED_AFTER_TESTS = re.compile(
    r"(?:(?:unit|integration|acceptance|functional|e2e|run)[-_.]?)*(?:tests?|testrunner|e2e|lint|coverage)"
    r"(?:[-_.](?:runner|run|results?|report|stage|export))?"
)


def only_tests(file: Dockerfile, stage: BuildStage) -> bool:
    """Whether a stage is there to try things out: by what it starts, by its name, or by what it runs last."""
    own = file.of(stage)
    started = [each.arguments.text for each in own if each.keyword in STARTING]
    if started:
        return any(map(_TESTS.search, started))
    if stage.name and _NAMED_AFTER_TESTS.fullmatch(stage.name):
        return True
    runs = [each.arguments.text for each in own if each.keyword == "run"]
    return any(map(_TESTS.search, runs)) and not any(map(_PUBLISHES.search, runs))


def is_only_a_base(file: Dockerfile, stage: BuildStage) -> bool:
    """Whether a stage only prepares what others build on: it installs something, and neither takes anything in nor
    starts anything."""
    keywords = {each.keyword for below in file.chain(stage) for each in file.of(below)}
    return "run" in keywords and not keywords & (STARTING | COPYING)
