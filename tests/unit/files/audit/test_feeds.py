"""A feed's password that a build writes into a configuration may stay in a layer."""

import pytest

from bot.domain.repositories.finding import Outcome
from tests.unit.files.audit.world import BUILD, PUSH, findings, outcomes, workflow

UNKNOWN, HOLDS = Outcome.UNKNOWN, Outcome.HOLDS
MOUNT = "RUN --mount=type=secret,id=feed "
ADD = "dotnet nuget add source https://feed.example/v3/index.json -n feed -u ci --password"


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (f"{MOUNT}{ADD} $(cat /run/secrets/feed) --store-password-in-clear-text", UNKNOWN),
        (f'{MOUNT}sed -i "s/TOKEN/$(cat /run/secrets/feed)/" nuget.config && dotnet restore', UNKNOWN),
        (f'{MOUNT}echo "//feed.example/:_authToken=$(cat /run/secrets/feed)" > .npmrc && npm ci', UNKNOWN),
        (f"{MOUNT}{ADD} $(cat /run/secrets/feed) && dotnet restore && dotnet nuget remove source feed", HOLDS),
        (f'{MOUNT}echo "//feed.example/:_authToken=x" > .npmrc && npm ci && rm -f .npmrc', HOLDS),
        (f"{MOUNT}{ADD} %FEED_PASSWORD%", HOLDS),
        ("RUN --mount=type=secret,id=feed,env=FEED dotnet restore", HOLDS),
        ("RUN dotnet nuget add source https://feed.example/v3/index.json -n feed", HOLDS),
    ],
)
def test_a_build_secret_that_is_written_into_a_configuration_may_stay(run: str, expected: Outcome) -> None:
    text = f"FROM mcr.microsoft.com/dotnet/sdk:10.0\nCOPY . .\n{run}\n"
    assert outcomes("image-secrets", {"Dockerfile": text}) == [expected]


@pytest.mark.parametrize(
    ("step", "copied", "has_own", "expected"),
    [
        (f"{ADD} ${{{{ secrets.FEED }}}}", ".", True, UNKNOWN),
        (f"{ADD} ${{{{ secrets.FEED }}}}", "NuGet.config", True, UNKNOWN),
        (f"{ADD} ${{{{ secrets.FEED }}}} --configfile NuGet.config", ".", False, UNKNOWN),
        (f"{ADD} ${{{{ secrets.FEED }}}}", ".", False, HOLDS),
        (f"{ADD} ${{{{ secrets.FEED }}}}", "out", True, HOLDS),
        ("dotnet restore ${{ secrets.FEED }}", ".", True, HOLDS),
    ],
)
def test_a_secret_that_a_step_writes_before_the_build_may_be_copied(
    step: str, copied: str, has_own: bool, expected: Outcome
) -> None:
    files = {
        "Dockerfile": f"FROM mcr.microsoft.com/dotnet/sdk:10.0\nCOPY {copied} ./\n",
        BUILD: workflow(f"- run: |\n    {step}\n{PUSH}"),
    }
    if has_own:
        files["NuGet.config"] = "<configuration />\n"
    found = findings("image-secrets", files)
    assert [each.outcome for each in found] == [expected]
