"""What GitHub says when it denies something, and what a maintainer is told to do about it."""

import pytest

from bot.clients.forges.github.connection.answers import refused
from bot.clients.forges.github.connection.graphql import graphql_answer
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.refusals import AccessDenied, Denial

GENERAL = "grant contents, pull requests and actions: read and write"
ALLOW_LIST = (
    "Although you appear to have the correct authorization credentials, the `contoso` organization has an IP allow "
    "list enabled, and your IP address is not permitted to access this resource."
)
SAML = (
    "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this "
    "organization."
)
EVENT = "Event 'workflow_dispatch' is not allowed to trigger Actions workflows"


@pytest.mark.parametrize(
    ("said", "denial"),
    [(ALLOW_LIST, Denial.IP_ALLOW_LIST), (SAML, Denial.SINGLE_SIGN_ON), (EVENT, Denial.EVENT)],
)
def test_a_reason_that_is_known_has_its_own_advice(said: str, denial: Denial) -> None:
    failure = refused(Trouble.DENIED, said, "github", GENERAL, 403)
    assert isinstance(failure, AccessDenied)
    assert (failure.denial, failure.advice, failure.trouble) == (denial, denial.advice, Trouble.DENIED)


def test_it_has_in_graphql_as_well() -> None:
    error = {"type": "FORBIDDEN", "message": SAML, "extensions": {"saml_failure": True}}
    failure = graphql_answer({"data": None, "errors": [error]}, "github").errors[0].failure("github")
    assert failure.advice == Denial.SINGLE_SIGN_ON.advice


@pytest.mark.parametrize(
    ("accepted", "advice"),
    [
        ("contents=write", "grant contents: write"),
        ("contents=write,workflows=write", "grant contents: write and workflows: write"),
        ("issues=write; pull_requests=write", "grant issues: write, or pull requests: write"),
    ],
)
def test_the_right_that_github_names_is_told(accepted: str, advice: str) -> None:
    headers = {"x-accepted-github-permissions": accepted}
    said = "Resource not accessible by integration"
    assert refused(Trouble.DENIED, said, "github", GENERAL, 403, headers).advice == advice


def test_where_github_names_nothing_the_general_advice_stays() -> None:
    failure = refused(Trouble.DENIED, "Resource not accessible by integration", "github", GENERAL, 403)
    assert type(failure) is Failure
    assert failure.advice == GENERAL
