"""What is left of a rebuild once a part of it was declined."""

import pytest

from bot.act.ports import Job
from bot.act.pull_request.declined import less_declined
from bot.domain.forge.pull_requests import PullRequest
from bot.domain.reference import Base, Reference
from bot.domain.repositories.usage import Replacement
from bot.domain.rollouts.rebuild import Target
from bot.domain.rollouts.wanted_digest import wanted_digests_of
from tests.unit.act.world import ASPNET, change, digest, member, rebuild, reference

SDK = Base(ASPNET.registry, "dotnet/sdk", "10.0")


@pytest.mark.parametrize(("closed", "left", "pin"), [("b", SDK, "10.0.104"), ("e", ASPNET, None)])
def test_what_global_json_asks_for_moves_with_the_sdk_image_or_not_at_all(
    closed: str, left: Base, pin: str | None
) -> None:
    asked = Reference(SDK.name, "10.0.103")
    planned = rebuild(
        targets=(Target(ASPNET, digest("a"), digest("b"), (1,)), Target(SDK, digest("d"), digest("e"), (2,))),
        replacements=(Replacement(asked, asked.at("10.0.104", None)), Replacement(reference("a"), reference("b"))),
    )
    job = Job(planned, member(), "main", (change(),), ("Dockerfile", "global.json"))
    text = f"<!-- freshness-bot rebuild {digest(closed)} -->"
    request = PullRequest(1, "", "branch", "sha", "", text, False, False)
    rest = less_declined([request], job).left
    assert rest is not None
    orders = wanted_digests_of(rest.rebuild, rest.changes)
    assert ([order.base for order in orders.of_bases], orders.sdk) == ([left], pin)
