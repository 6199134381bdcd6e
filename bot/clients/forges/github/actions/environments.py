"""What the environments of a repository ask of deployments: their protection rules.

Source: GitHub's REST pages "Deployment environments" and "Protection rules": the listing has reviewers, wait timers
and branch policies; the rules of apps are listed for each environment alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.failure import Failure
from bot.domain.repositories.repository import Identity
from bot.domain.repositories.surroundings import EnvironmentProtection

_MOST_PAGES = 3
_MOST_ASKED = 10
"""Environments of one repository whose apps are asked for."""


async def environments(transport: Transport, repository: Identity) -> dict[str, EnvironmentProtection]:
    """All environments by name in lower case; of those without rules of people, also whether an app decides.

    One whose apps cannot be told counts as decided by one: that it asks nothing would be a guess.
    """
    protections: dict[str, EnvironmentProtection] = {}
    path = f"/repos/{repository.name}/environments"
    with shaped("environments"):
        async for page in transport.pages(path, most=_MOST_PAGES):
            for row in page["environments"]:
                protections[str(row["name"]).lower()] = _protection(row.get("protection_rules") or ())
    for number, name in enumerate([name for name, each in protections.items() if not each.told]):
        is_asked = number < _MOST_ASKED
        decides = await _app_decides(transport, f"{path}/{quote(name, safe='')}") if is_asked else True
        protections[name] = EnvironmentProtection(has_own_rules=decides)
    return protections


def _protection(rules: Sequence[Mapping[str, Any]]) -> EnvironmentProtection:
    waits = [int(rule.get("wait_timer") or 0) for rule in rules if rule["type"] == "wait_timer"]
    return EnvironmentProtection(
        any(rule["type"] == "required_reviewers" and rule.get("reviewers") for rule in rules), max(waits, default=0)
    )


async def _app_decides(transport: Transport, environment: str) -> bool:
    try:
        answer = await transport.read(f"{environment}/deployment_protection_rules")
    except Failure as failure:
        if failure.status not in {403, 404}:
            raise
        return True
    with shaped("rules of an environment"):
        return any(rule["enabled"] for rule in answer.get("custom_deployment_protection_rules") or ())
