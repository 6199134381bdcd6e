import httpx

from sandbox.edges.edge import PATIENCE
from sandbox.world import World


async def call(world: World, method: str, **arguments: object) -> httpx.Response:
    async with httpx.AsyncClient(
        headers={"authorization": f"Bearer {world.slack.token}"}, timeout=PATIENCE
    ) as client:
        return await client.post(f"{world.slack.url}/api/{method}", json=arguments)


async def test_a_message_can_be_changed_and_answered_in_its_thread(world: World) -> None:
    channel = world.slack.channel
    ts = (await call(world, "chat.postMessage", channel=channel, text="aspnet:8.0 moved")).json()["ts"]
    await call(world, "chat.update", channel=channel, ts=ts, text="aspnet:8.0 moved: 2 of 3 rebuilt")
    await call(world, "chat.postMessage", channel=channel, thread_ts=ts, text="contoso/shop: pull request 1")
    [message] = await world.slack.messages()
    assert message["text"] == "aspnet:8.0 moved: 2 of 3 rebuilt"
    assert [reply["text"] for reply in await world.slack.thread(ts)] == [
        "aspnet:8.0 moved: 2 of 3 rebuilt",
        "contoso/shop: pull request 1",
    ]


async def test_metadata_is_shown_to_those_who_ask_for_it(world: World) -> None:
    metadata = {"event_type": "rollout", "event_payload": {"key": "r-1"}}
    await call(world, "chat.postMessage", channel=world.slack.channel, text="x", metadata=metadata)
    without = (await call(world, "conversations.history", channel=world.slack.channel)).json()
    assert "metadata" not in without["messages"][0]
    async with httpx.AsyncClient(
        headers={"authorization": f"Bearer {world.slack.token}"}, timeout=PATIENCE
    ) as client:
        query = {"channel": world.slack.channel, "include_all_metadata": "true"}
        with_it = (await client.get(f"{world.slack.url}/api/conversations.history", params=query)).json()
    assert with_it["messages"][0]["metadata"] == metadata


async def test_the_scopes_of_a_token_are_named_in_a_header(world: World) -> None:
    answer = await call(world, "auth.test")
    assert answer.json()["ok"]
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


async def test_the_incoming_webhook_posts_to_the_channel_and_answers_ok(world: World) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        answer = await client.post(world.slack.webhook, json={"text": "weekly digest"})
        unknown = await client.post(f"{world.slack.url}/services/T0/B0/wrong", json={"text": "x"})
    assert (answer.status_code, answer.text) == (200, "ok")
    assert (unknown.status_code, unknown.text) == (404, "no_service")
    assert [message["text"] for message in await world.slack.messages()] == ["weekly digest"]


async def test_posting_is_a_write_and_reading_is_none(world: World) -> None:
    await call(world, "conversations.history", channel=world.slack.channel)
    await call(world, "chat.postMessage", channel=world.slack.channel, text="x")
    assert [entry.path for entry in world.traffic.writes()] == ["/api/chat.postMessage"]
