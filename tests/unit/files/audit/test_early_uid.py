"""UID 64198, an early plan of .NET, beside an image that runs as 1654."""

import pytest

from bot.domain.repositories.finding import Outcome
from tests.unit.files.audit.world import BUILD, DEPLOYMENT, PUSH, deployment, findings, outcome, workflow

HOLDS, FAILS = Outcome.HOLDS, Outcome.FAILS
CHISELED = "mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled"
RUN_AS = "securityContext: {{runAsUser: {uid}}}"


@pytest.mark.parametrize(
    ("image", "uid", "expected"),
    [
        (CHISELED, "64198", FAILS),
        (CHISELED, "1654", HOLDS),
        (CHISELED, "10001", HOLDS),
        ("contoso/other:1", "64198", HOLDS),
        ("debian:13", "64198", HOLDS),
        ("ghcr.io/contoso/api:9", "64198", FAILS),
    ],
)
def test_a_container_takes_the_uid_that_its_image_is_known_to_run_as(
    image: str, uid: str, expected: Outcome
) -> None:
    files = {
        DEPLOYMENT: deployment(RUN_AS.format(uid=uid), image=image),
        BUILD: workflow(PUSH),
        "Dockerfile": f"FROM {CHISELED}\nCOPY app /app\n",
    }
    (finding,) = [each for each in findings("run-as-non-root", files) if each.place.path == DEPLOYMENT]
    assert finding.outcome is expected
    assert ("1654" in finding.message) is (expected is FAILS or uid == "1654")


@pytest.mark.parametrize("user", ["USER 1654", "USER $APP_UID", "USER 1654:1654"])
def test_the_user_that_a_dockerfile_writes_counts(user: str) -> None:
    dockerfile = f"FROM mcr.microsoft.com/dotnet/aspnet:10.0\n{user}\n"
    for written, expected in (("64198", FAILS), ("64198:64198", FAILS), ("1654", HOLDS)):
        compose = f"services:\n  api:\n    build: .\n    user: '{written}'\n"
        assert outcome("run-as-non-root", {"compose.yaml": compose, "Dockerfile": dockerfile}) is expected


def test_where_the_image_runs_as_another_user_the_number_is_somebodys_choice() -> None:
    compose = "services:\n  api:\n    build: .\n    user: '64198'\n"
    files = {"compose.yaml": compose, "Dockerfile": "FROM debian:13\nUSER 64198\n"}
    assert outcome("run-as-non-root", files) is HOLDS
