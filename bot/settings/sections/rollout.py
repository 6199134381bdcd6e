"""In what order a fleet is rebuilt, when nothing begins, and how much the bot may do to others."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from bot.domain.feeds.advisory import Severity
from bot.domain.rollouts.timing.waves import Wave
from bot.domain.rollouts.timing.windows import Freeze
from bot.settings.section import RenamedSection, Section, ValueSection, WrittenAs
from bot.settings.values.numbers import WholeNumber
from bot.settings.values.texts import Percent, Sentence, ShortName
from bot.settings.values.times import Duration, Moment, Period


class FirstRun(StrEnum):
    """What the first pass does about images that are stale already: only tell, or make a rollout of them."""

    TELL = "tell"
    CATCH_UP = "catch_up"


class WaveSettings(ValueSection[Wave]):
    """Repositories that are rebuilt together."""

    KIND = Wave

    name: ShortName = Field(description="As in the rules' wave.")
    soak: Duration = Field(timedelta(0), description="How long the wave must have stood before the next begins.")
    batch: WholeNumber | None = Field(
        None, ge=1, le=100_000, description="How many of its rebuilds may be under way at once."
    )
    done_at: Percent = Field(1.0, description="Share of its rebuilds that must have ended.")
    wait_at_most: Duration = Field(
        timedelta(days=1), description="How long pull requests that nobody merges hold up the next wave."
    )

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.done_at == 0:
            raise ValueError("done_at: 0% would let the next wave begin at once; write at least 1%")
        return self


_ONE_WAVE: Any = [WaveSettings(name="rest")]
"""As an operator would write it: the schema shows it so."""


class RolloutSettings(Section):
    """In what order a fleet is rebuilt, and when that stops."""

    waves: list[Annotated[Wave, WrittenAs(WaveSettings)]] = Field(
        _ONE_WAVE,
        validate_default=True,
        min_length=1,
        max_length=20,
        description="In the order in which they begin; who is in none belongs to the last.",
    )
    pause_when_failed: Percent = Field(0.2, description="Share of failed rebuilds that stops a rollout.")
    first_run: FirstRun = Field(
        FirstRun.TELL, description="tell how stale the fleet is, or catch_up by a rollout as well."
    )
    first_run_severity: Severity | None = Field(
        None,
        description="With catch_up: only what lacks a fix at least this severe; the message proposes the rest.",
    )
    build_within: Period = Field(
        timedelta(hours=1), description="How long after a merge its build is looked for before that is told."
    )
    join_timeout: Period = Field(
        timedelta(hours=2),
        description="How long a rebuild waits for own bases below it; then it goes, unproven.",
    )
    image_within: Period = Field(
        timedelta(hours=2), description="How long after a green build its image is looked for; then it has failed."
    )

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [wave.name for wave in self.waves]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two waves are called {twice!r}; give each a name of its own")
        return self


class FreezeSettings(ValueSection[Freeze]):
    """A time in which nothing is begun."""

    KIND = Freeze

    since: Moment = Field(alias="from", description="When it begins, in UTC unless a zone is written.")
    until: Moment = Field(description="When work may begin again.")
    reason: Sentence = Field(description="Told with everything that it holds back.")
    except_severity: Severity | None = Field(None, description="Fixes of a CVE at least this severe go on.")

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.since >= self.until:
            raise ValueError("until is not after from; a freeze ends when work may begin again")
        return self


WrittenFreeze = Annotated[Freeze, WrittenAs(FreezeSettings)]


MOST_RESERVED = 0.9


class LimitSettings(RenamedSection):
    """How much the bot may do to others."""

    FORMER: ClassVar[Mapping[str, str]] = {
        "writes_per_minute": "content_per_minute",
        "writes_per_hour": "content_per_hour",
    }

    open_pull_requests_per_repository: WholeNumber = Field(
        2, ge=1, le=1000, description="A further one waits until one is closed."
    )
    content_per_minute: WholeNumber = Field(
        60, ge=1, le=100_000, description="New pull requests, review requests, issues and comments in any minute."
    )
    content_per_hour: WholeNumber = Field(
        480, ge=1, le=1_000_000, description="The same in any hour; GitHub stops everybody at 500."
    )
    read_reserve: Percent = Field(0.1, description="Share of GitHub's read limit that is left to others.")

    @model_validator(mode="after")
    def _leaves_something(self) -> Self:
        if self.read_reserve > MOST_RESERVED:
            raise ValueError(
                f"read_reserve: {self.read_reserve:.0%} would leave the bot next to nothing to read with; write at "
                f"most {MOST_RESERVED:.0%}"
            )
        return self
