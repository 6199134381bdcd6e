"""What environments ask, read from GitHub's answers; what cannot be told is never nothing."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import pytest

from bot.clients.forges.github.actions.environments import environments
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.repository import Identity
from bot.domain.repositories.surroundings import EnvironmentProtection

ALL = "/repos/contoso/shop/environments"
SHOP = Identity("contoso/shop")


class Answers:
    """GitHub's answers by path; a `Failure` is raised."""

    def __init__(self, rows: list[Mapping[str, Any]], apps: Mapping[str, Any] | Failure) -> None:
        self.rows, self.apps = rows, apps
        self.asked: list[str] = []

    async def pages(self, path: str, *, most: int) -> AsyncIterator[Any]:
        self.asked.append(path)
        yield {"total_count": len(self.rows), "environments": self.rows}

    async def read(self, path: str) -> Any:
        self.asked.append(path)
        if isinstance(self.apps, Failure):
            raise self.apps
        return self.apps


async def told(answers: Answers) -> dict[str, EnvironmentProtection]:
    return await environments(cast("Transport", answers), SHOP)


NO_APPS: Mapping[str, Any] = {"total_count": 0, "custom_deployment_protection_rules": []}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([{"type": "wait_timer", "wait_timer": 30}], EnvironmentProtection(waits=30)),
        ([{"type": "required_reviewers", "reviewers": [{}]}], EnvironmentProtection(has_reviewers=True)),
        ([{"type": "required_reviewers", "reviewers": []}], EnvironmentProtection()),
        ([{"type": "branch_policy"}], EnvironmentProtection()),
    ],
)
async def test_rules_of_people_are_read_from_the_listing(rules: list[Any], expected: EnvironmentProtection) -> None:
    answers = Answers([{"name": "Production", "protection_rules": rules}], NO_APPS)
    assert await told(answers) == {"production": expected}
    assert len(answers.asked) == (1 if expected.told else 2)


@pytest.mark.parametrize("is_enabled", [True, False])
async def test_an_app_decides_where_its_rule_is_switched_on(is_enabled: bool) -> None:
    answers = Answers([{"name": "a b"}], {"custom_deployment_protection_rules": [{"enabled": is_enabled}]})
    assert await told(answers) == {"a b": EnvironmentProtection(has_own_rules=is_enabled)}
    assert answers.asked[-1] == f"{ALL}/a%20b/deployment_protection_rules"


@pytest.mark.parametrize("status", [403, 404])
async def test_an_app_that_cannot_be_told_may_decide(status: int) -> None:
    answers = Answers([{"name": "production"}], Failure(Trouble.DENIED, "no", status=status))
    assert (await told(answers))["production"].has_own_rules


async def test_of_many_environments_only_the_first_are_asked_for_their_apps() -> None:
    answers = Answers([{"name": f"preview-{number}"} for number in range(40)], NO_APPS)
    found = await told(answers)
    assert len(answers.asked) == 11
    assert sum(each.has_own_rules for each in found.values()) == 30


async def test_another_failure_is_told() -> None:
    with pytest.raises(Failure):
        await told(Answers([{"name": "production"}], Failure(Trouble.UNREACHABLE, "no answer")))
