"""Which vulnerabilities hold back what was rebuilt."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from bot.domain.packages.cves.detected import GatePolicy, Rating
from bot.domain.packages.gate import MAX_AGE, Counts, GateException, GateMode, GateRule, MatchedRule, ReportUse
from bot.settings.section import Section
from bot.settings.values.texts import Name, Sentence
from bot.settings.values.times import Duration, Moment, Period

VulnerabilityId = Annotated[
    str, Field(pattern=r"^[A-Za-z][A-Za-z0-9]*-[A-Za-z0-9:.-]+$", max_length=64, examples=["CVE-2026-21218"])
]
Severities = Annotated[list[Rating], Field(min_length=1, max_length=5)]


class GateRuleSettings(Section):
    """What is asked of images that fit `match`."""

    match: list[Name] = Field(min_length=1, description="Globs over registry/name of images.")
    mode: GateMode = Field(
        GateMode.BLOCK, description="off, tell (the reason says what would block) or block (the rebuild fails)."
    )
    severities: Severities = Field(
        [Rating.HIGH, Rating.CRITICAL], description="Which count: UNKNOWN, LOW, MEDIUM, HIGH, CRITICAL."
    )
    counts: Counts = Field(
        Counts.NEW, description="new: what the image that was let through before did not have; all: everything."
    )
    ignore_unfixed: bool = Field(
        True,
        description="What nobody has fixed yet does not count; summaries show it until it is.",
    )
    report: ReportUse = Field(
        ReportUse.ADD,
        description="A scanner's report: add (what it found counts too), enough (it answers where the kept data "
        "cannot tell) or require (without a young one it cannot be told).",
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.severities)) < len(self.severities):
            raise ValueError("a severity stands twice in severities")
        return self

    def matched_rule(self) -> MatchedRule:
        policy = GatePolicy(frozenset(self.severities), self.ignore_unfixed)
        return MatchedRule(tuple(self.match), GateRule(self.mode, self.counts, policy), self.report)


class GateExceptionSettings(Section):
    """A vulnerability that is accepted for a time."""

    cve: VulnerabilityId = Field(description="Its id, or GitHub's for it.")
    match: list[Name] = Field(["*"], min_length=1, description="Globs over registry/name of images.")
    package: Name | None = Field(None, description="The package that has it; any where it is left out.")
    reason: Sentence = Field(description="Why; shown wherever it is accepted.")
    until: Moment = Field(description="When it counts again.")

    def exception(self) -> GateException:
        return GateException(self.cve.upper(), tuple(self.match), self.reason, self.until, self.package)


class GateSettings(Section):
    """What is known to be wrong with an image, before its rebuild counts as done and before each step."""

    rules: list[GateRuleSettings] = Field([], max_length=100, description="The first that matches counts.")
    exceptions: list[GateExceptionSettings] = Field(
        [], max_length=1000, description="What is accepted, and until when."
    )
    vex: list[Path] = Field(
        [],
        max_length=100,
        description="OpenVEX documents of authors whom you heed: what they excuse does not count.",
    )
    max_age: Period = Field(MAX_AGE, description="How old CVE data and reports may be; what is older cannot tell.")
    wait: Duration = Field(
        timedelta(hours=1),
        description="How long a rebuild is held while it cannot be told; with block it ends as built then.",
    )

    @model_validator(mode="after")
    def _asked(self) -> Self:
        if not self.rules and self.exceptions:
            raise ValueError("no rule asks for anything, so exceptions are not read; write rules")
        return self
