"""Where the tags of actions point to, as GitHub's answer tells it."""

from collections.abc import Mapping
from typing import Any, cast

from bot.clients.forges.github.actions.action_tags import action_commits
from bot.clients.forges.github.connection.graphql import GraphAnswer, GraphError
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.builder.actions import ActionCommit, ActionTag

LOGIN = ActionTag("docker/login-action", "v3")
COMMIT, TAG, OTHER = "a" * 40, "b" * 40, "c" * 40


class Answering:
    """A transport that knows one answer."""

    def __init__(self, data: Mapping[str, Any], *errors: GraphError) -> None:
        self.graph = GraphAnswer(data, errors, "POST github/graphql")
        self.asked = 0

    async def query(self, document: str, variables: Mapping[str, Any]) -> GraphAnswer:
        self.asked += 1
        return self.graph


async def commits(answering: Answering, *actions: ActionTag) -> Mapping[ActionTag, ActionCommit]:
    return await action_commits(cast(Transport, answering), actions)


def plain(name: str, oid: str) -> Mapping[str, Any]:
    return {"name": name, "target": {"__typename": "Commit", "oid": oid}}


def annotated(name: str, oid: str) -> Mapping[str, Any]:
    return {"name": name, "target": {"__typename": "Tag", "oid": TAG, "target": {"oid": oid}}}


async def test_an_annotated_tag_leads_to_its_commit() -> None:
    found = {"a0": {"tag": annotated("v3", COMMIT), "others": {"nodes": [annotated("v3.6.0", COMMIT)]}}}
    assert await commits(Answering(found), LOGIN) == {LOGIN: ActionCommit(COMMIT, "v3.6.0")}


async def test_the_version_is_one_of_the_same_commit_and_line() -> None:
    others = [plain("v3.7.0", OTHER), plain("v3.6", COMMIT), plain("v3-beta", COMMIT), plain("latest", COMMIT)]
    found = {"a0": {"tag": plain("v3", COMMIT), "others": {"nodes": others}}}
    assert (await commits(Answering(found), LOGIN))[LOGIN].version == "v3.6"


async def test_what_is_not_there_or_not_shown_is_left_out() -> None:
    other = ActionTag("contoso/private", "v1")
    hidden = GraphError("FORBIDDEN", "no", ("a1",))
    assert (
        await commits(Answering({"a0": {"tag": None, "others": {"nodes": []}}, "a1": None}, hidden), LOGIN, other)
        == {}
    )


async def test_many_actions_share_a_request() -> None:
    actions = [ActionTag("docker/login-action", f"v{number}") for number in range(25)]
    answering = Answering({})
    assert await commits(answering, *actions) == {}
    assert answering.asked == 2
