"""Which part of the news each place hears."""

from dataclasses import dataclass
from datetime import datetime

import pytest

from bot.domain.bases.change import Cause
from bot.domain.feeds.advisory import Severity
from bot.domain.rollouts.policy import Match
from bot.domain.wording.message import Message
from bot.fleet.report.destinations import About, Destination, hears, part_of
from tests.builders import ASPNET, SDK, change

FIX = About(("contoso/shop", "contoso/desk"), (change(ASPNET, cves=("CVE-1",), severity=Severity.HIGH),))
NOTICE = About(("contoso/shop",), bases=(ASPNET,))


@dataclass(frozen=True, slots=True)
class Silent:
    """A channel that is never spoken to."""

    can_update: bool = True

    async def post(
        self,
        key: str,
        message: Message,
        *,
        thread: dict[str, str] | None = None,
        maybe_sent_since: datetime | None = None,
    ) -> None:
        raise AssertionError(key)

    async def update(self, remote: dict[str, str], key: str, message: Message) -> None:
        raise AssertionError(key)


def place(part: Match | None) -> Destination:
    return Destination("slack:C1", Silent(), part)


@pytest.mark.parametrize("about", [FIX, NOTICE, None])
def test_a_place_without_a_part_hears_everything(about: About | None) -> None:
    assert hears(place(None), about)


@pytest.mark.parametrize(
    ("part", "is_heard"),
    [
        (Match(), True),
        (Match(repositories=("contoso/shop",)), True),
        (Match(repositories=("fabrikam/*",)), False),
        (Match(bases=(str(ASPNET),)), True),
        (Match(bases=(str(SDK),)), False),
        (Match(causes=(Cause.DOTNET_SECURITY,), min_severity=Severity.HIGH), True),
        (Match(min_severity=Severity.CRITICAL), False),
    ],
)
def test_a_team_hears_what_concerns_its_repositories_bases_and_causes(part: Match, is_heard: bool) -> None:
    assert hears(place(part), FIX) is is_heard


def test_what_concerns_the_bot_as_a_whole_is_no_teams_part() -> None:
    assert not hears(place(Match()), None)


@pytest.mark.parametrize(
    ("part", "is_heard"),
    [
        (Match(repositories=("contoso/*",)), True),
        (Match(bases=(str(ASPNET),)), True),
        (Match(bases=(str(SDK),)), False),
        (Match(causes=(Cause.OS_UPDATE,)), False),
    ],
)
def test_a_notice_has_no_cause_that_could_match(part: Match, is_heard: bool) -> None:
    assert hears(place(part), NOTICE) is is_heard


def test_a_part_is_the_repositories_that_match() -> None:
    assert part_of(Match(repositories=("contoso/d*",)), FIX.repositories) == {"contoso/desk"}
