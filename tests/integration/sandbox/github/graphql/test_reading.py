"""Reading GitHub by GraphQL. Every query is validated against the published schema before it is answered."""

import httpx

from sandbox.edges.edge import PATIENCE
from sandbox.world import World
from tests.integration.sandbox.github.graphql.conftest import Asking

OLD, NEW = "FROM dotnet/aspnet:8.0.21\n", "FROM dotnet/aspnet:8.0.22\n"
REBUILD = "on: workflow_dispatch\n"


async def opened(world: World, name: str, branch: str = "freshness/a") -> dict[str, object]:
    """A repository with one open pull request, as REST shows that."""
    await world.github.create_repository(name, {"Dockerfile": OLD})
    await world.github.branch(name, branch)
    await world.github.push(name, {"Dockerfile": NEW}, branch=branch)
    body = {"title": "Take 8.0.22", "head": branch, "base": "main", "body": "why"}
    pull: dict[str, object] = await world.github.ask("POST", f"/repos/contoso/{name}/pulls", body)
    return pull


async def test_a_repository_shows_what_decides_whether_it_can_be_written(shared_world: World, ask: Asking) -> None:
    flags = {"private": True, "disabled": True, "lock_reason": "MIGRATING"}
    await shared_world.github.create_repository("gq-flags", {"a": "1"}, archived=True, **flags)
    query = """{repository(owner: "contoso", name: "gq-flags") {
        id databaseId nameWithOwner isArchived isDisabled isLocked lockReason isEmpty isPrivate isFork
        autoMergeAllowed
        defaultBranchRef {name prefix target {oid ... on Commit {history(first: 1) {totalCount}}}}}}"""
    seen = (await ask.data(query))["repository"]
    rest = await shared_world.github.ask("GET", "/repos/contoso/gq-flags")
    assert (seen["id"], seen["databaseId"], seen["nameWithOwner"]) == (
        rest["node_id"],
        rest["id"],
        "contoso/gq-flags",
    )
    assert [seen[key] for key in ("isArchived", "isDisabled", "isLocked", "isPrivate")] == [True] * 4
    assert (seen["lockReason"], seen["isEmpty"], seen["isFork"]) == ("MIGRATING", False, False)
    head = await shared_world.github.head("gq-flags")
    assert seen["defaultBranchRef"] == {
        "name": "main",
        "prefix": "refs/heads/",
        "target": {"oid": head, "history": {"totalCount": 1}},
    }


async def test_files_folders_and_commits_are_found_by_expression(shared_world: World, ask: Asking) -> None:
    await shared_world.github.create_repository("gq-files", {"src/Dockerfile": OLD, "logo.bin": b"\xff\x00"})
    head = await shared_world.github.head("gq-files")
    query = """query($file: String!, $folder: String!, $binary: String!, $gone: String!) {
        repository(owner: "contoso", name: "gq-files") {
            file: object(expression: $file) {__typename oid ... on Blob {text byteSize isBinary isTruncated}}
            folder: object(expression: $folder) {... on Tree {entries {name mode type object {__typename}}}}
            binary: object(expression: $binary) {... on Blob {text isBinary}}
            commit: object(expression: "main") {
                __typename oid ... on Commit {message file(path: "src/Dockerfile") {mode}}}
            gone: object(expression: $gone) {oid}}}"""
    paths = {"file": "src/Dockerfile", "folder": "src", "binary": "logo.bin", "gone": "nowhere"}
    seen = (await ask.data(query, **{key: f"{head}:{path}" for key, path in paths.items()}))["repository"]
    assert seen["file"] | {"oid": ""} == {
        "__typename": "Blob",
        "oid": "",
        "text": OLD,
        "byteSize": len(OLD),
        "isBinary": False,
        "isTruncated": False,
    }
    assert seen["folder"]["entries"] == [
        {"name": "Dockerfile", "mode": 33188, "type": "blob", "object": {"__typename": "Blob"}}
    ]
    assert seen["binary"] == {"text": None, "isBinary": True}
    assert (seen["commit"]["oid"], seen["commit"]["file"]) == (head, {"mode": 33188})
    assert seen["gone"] is None


async def test_a_long_text_is_cut_without_an_error(shared_world: World, ask: Asking) -> None:
    await shared_world.github.create_repository("gq-long", {"long.yaml": "a" * 512_001})
    query = """{repository(owner: "contoso", name: "gq-long") {
        object(expression: "main:long.yaml") {... on Blob {text byteSize isTruncated}}}}"""
    seen = (await ask.data(query))["repository"]["object"]
    assert (len(seen["text"]), seen["byteSize"], seen["isTruncated"]) == (512_000, 512_001, True)


async def test_branches_are_found_by_a_part_of_their_name_with_their_pull_requests(
    shared_world: World, ask: Asking
) -> None:
    pull = await opened(shared_world, "gq-refs")
    query = """{repository(owner: "contoso", name: "gq-refs") {
        refs(refPrefix: "refs/heads/", query: "freshness/", first: 100) {
            totalCount nodes {name target {oid} associatedPullRequests(states: [OPEN], first: 1) {nodes {id}}}}}}"""
    seen = (await ask.data(query))["repository"]["refs"]
    head = await shared_world.github.head("gq-refs", "freshness/a")
    [branch] = seen["nodes"]
    assert branch == {
        "name": "freshness/a",
        "target": {"oid": head},
        "associatedPullRequests": {"nodes": [{"id": pull["node_id"]}]},
    }


PULL = """... on PullRequest {
    id number state merged mergedAt isDraft locked headRefOid headRefName baseRefName mergeable
    mergeStateStatus reviewDecision isInMergeQueue mergeCommit {oid} statusCheckRollup {state} title body}"""


async def test_a_pull_request_is_seen_from_opening_to_merge(shared_world: World, ask: Asking) -> None:
    pull = await opened(shared_world, "gq-pull")
    query = "query($id: ID!) {node(id: $id) {" + PULL + "}}"
    seen = (await ask.data(query, id=pull["node_id"]))["node"]
    head = await shared_world.github.head("gq-pull", "freshness/a")
    assert (seen["state"], seen["merged"], seen["headRefOid"], seen["mergeCommit"]) == ("OPEN", False, head, None)
    assert (seen["mergeable"], seen["mergeStateStatus"]) == ("MERGEABLE", "CLEAN")
    assert (seen["reviewDecision"], seen["statusCheckRollup"], seen["isInMergeQueue"]) == (None, None, False)
    sha = await shared_world.github.merge("gq-pull", 1)
    seen = (await ask.data(query, id=pull["node_id"]))["node"]
    assert (seen["state"], seen["merged"], seen["mergeCommit"]) == ("MERGED", True, {"oid": sha})


async def test_a_conflict_is_told(shared_world: World, ask: Asking) -> None:
    pull = await opened(shared_world, "gq-conflict")
    await shared_world.github.push("gq-conflict", {"Dockerfile": "FROM somebody/elses\n"})
    query = "query($id: ID!) {node(id: $id) {... on PullRequest {mergeable mergeStateStatus}}}"
    seen = (await ask.data(query, id=pull["node_id"]))["node"]
    assert seen == {"mergeable": "CONFLICTING", "mergeStateStatus": "DIRTY"}


async def test_many_nodes_come_in_the_order_of_their_ids_and_what_is_gone_is_null(
    shared_world: World, ask: Asking
) -> None:
    pull = await opened(shared_world, "gq-nodes")
    repository = await ask.repository_id("gq-nodes")
    answer = await ask(
        "query($ids: [ID!]!) {nodes(ids: $ids) {__typename id}}", ids=[pull["node_id"], "PR_gone", repository]
    )
    assert answer["data"]["nodes"] == [
        {"__typename": "PullRequest", "id": pull["node_id"]},
        None,
        {"__typename": "Repository", "id": repository},
    ]
    [error] = answer["errors"]
    assert (error["type"], error["path"]) == ("NOT_FOUND", ["nodes", 1])
    assert error["message"] == "Could not resolve to a node with the global id of 'PR_gone'"


async def test_a_hundred_ids_for_each_field_and_no_more(shared_world: World, ask: Asking) -> None:
    query = """query($some: [ID!]!, $many: [ID!]!) {
        a: nodes(ids: $some) {id} b: nodes(ids: $some) {id} c: nodes(ids: $many) {id}}"""
    repository = await ask.repository_id(await a_repository(shared_world))
    answer = await ask(query, some=[repository] * 100, many=[repository] * 101)
    assert answer["data"] is None
    assert [(error["type"], error["path"]) for error in answer["errors"]] == [("ARGUMENT_LIMIT", ["c"])]
    assert answer["errors"][0]["message"].startswith("You may not provide more than 100 node ids")


async def a_repository(world: World) -> str:
    await world.github.create_repository("gq-many", {"a": "1"})
    return "gq-many"


async def test_runs_tell_through_their_check_suite(shared_world: World, ask: Asking) -> None:
    await shared_world.github.create_repository("gq-runs", {".github/workflows/rebuild.yml": REBUILD})
    path = "/repos/contoso/gq-runs/actions/workflows/rebuild.yml/dispatches"
    started = await shared_world.github.ask("POST", path, {"ref": "main", "return_run_details": True})
    run = await shared_world.github.ask("GET", f"/repos/contoso/gq-runs/actions/runs/{started['workflow_run_id']}")
    query = """query($ids: [ID!]!) {nodes(ids: $ids) {
        ... on CheckSuite {status conclusion commit {oid} branch {name} workflowRun {id}}
        ... on WorkflowRun {event runNumber checkSuite {status}}}}"""
    ids = [run["check_suite_node_id"], run["node_id"]]
    suite, workflow_run = (await ask.data(query, ids=ids))["nodes"]
    assert suite == {
        "status": "QUEUED",
        "conclusion": None,
        "commit": {"oid": run["head_sha"]},
        "branch": {"name": "main"},
        "workflowRun": {"id": run["node_id"]},
    }
    assert workflow_run == {"event": "workflow_dispatch", "runNumber": 1, "checkSuite": {"status": "QUEUED"}}
    shared_world.github.finish_run(run["id"], "timed_out")
    suite, _ = (await ask.data(query, ids=ids))["nodes"]
    assert (suite["status"], suite["conclusion"]) == ("COMPLETED", "TIMED_OUT")


async def test_labels_people_and_teams_are_found_for_their_ids(shared_world: World, ask: Asking) -> None:
    await shared_world.github.create_repository("gq-people", {"a": "1"})
    await shared_world.github.ask("POST", "/repos/contoso/gq-people/labels", {"name": "base", "color": "ededed"})
    await shared_world.github.create_team("platform")
    query = """{repository(owner: "contoso", name: "gq-people") {
        here: label(name: "base") {id name} gone: label(name: "none") {id}}
        user(login: "operator") {id login} organization(login: "contoso") {login team(slug: "platform") {id slug}}
        viewer {login}}"""
    seen = await ask.data(query)
    assert seen["repository"]["here"]["name"] == "base"
    assert seen["repository"]["gone"] is None
    assert (seen["user"]["login"], seen["organization"]["team"]["slug"]) == ("operator", "platform")
    assert seen["viewer"] == {"login": "freshness-bot"}


async def test_a_repository_that_is_not_there_is_an_error_beside_null(ask: Asking) -> None:
    answer = await ask('{repository(owner: "contoso", name: "never-was") {id}}')
    assert answer["data"] == {"repository": None}
    assert answer["errors"][0]["type"] == "NOT_FOUND"
    assert answer["errors"][0]["message"] == (
        "Could not resolve to a Repository with the name 'contoso/never-was'."
    )


async def test_what_the_schema_does_not_have_fails_loudly(shared_world: World, ask: Asking) -> None:
    answer = await ask('{repository(owner: "contoso", name: "x") {colour}}')
    assert "data" not in answer
    assert "colour" in answer["errors"][0]["message"]
    assert [violation for violation in shared_world.traffic.violations if "colour" in violation]
    shared_world.traffic.violations.clear()


async def test_a_connection_needs_its_bounds(ask: Asking) -> None:
    ask.world.traffic.violations.clear()
    bare = await ask('{repository(owner: "contoso", name: "x") {pullRequests {totalCount}}}')
    assert bare["errors"][0]["type"] == "MISSING_PAGINATION_BOUNDARIES"
    many = await ask('{repository(owner: "contoso", name: "x") {pullRequests(first: 101) {totalCount}}}')
    assert many["errors"][0]["type"] == "EXCESSIVE_PAGINATION"


async def test_the_price_grows_with_connections_and_not_with_ids(shared_world: World, ask: Asking) -> None:
    repository = await ask.repository_id(await a_second_repository(shared_world))
    cheap = "query($ids: [ID!]!) {nodes(ids: $ids) {id} rateLimit {cost nodeCount remaining limit resetAt used}}"
    seen = (await ask.data(cheap, ids=[repository] * 100))["rateLimit"]
    assert (seen["cost"], seen["nodeCount"], seen["limit"]) == (1, 0, 5000)
    dear = """query($ids: [ID!]!) {nodes(ids: $ids) {... on Repository {
        pullRequests(first: 100) {nodes {labels(first: 5) {nodes {name}}}}}} rateLimit {cost nodeCount}}"""
    seen = (await ask.data(dear, ids=[repository] * 2))["rateLimit"]
    assert seen == {"cost": 2, "nodeCount": 2 * 100 + 200 * 5}


async def a_second_repository(world: World) -> str:
    await world.github.create_repository("gq-price", {"a": "1"})
    return "gq-price"


async def test_graphql_has_a_budget_of_its_own(ask: Asking) -> None:
    before = ask.world.github.edge.limits.rate(ask.world.github.token, "core")
    answer = await ask.client.post("/graphql", json={"query": "{viewer {login}}"})
    assert answer.headers["x-ratelimit-resource"] == "graphql"
    assert ask.world.github.edge.limits.rate(ask.world.github.token, "core") == before


async def test_a_budget_that_is_used_up_is_a_200_with_an_error(world: World) -> None:
    world.github.edge.limits.graphql = 1
    headers = {"authorization": f"Bearer {world.github.token}"}
    async with httpx.AsyncClient(base_url=world.github.url, headers=headers, timeout=PATIENCE) as client:
        await client.post("/graphql", json={"query": "{viewer {login}}"})
        answer = await client.post("/graphql", json={"query": "{viewer {login}}"})
    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (200, "0")
    assert answer.json()["errors"][0]["type"] == "RATE_LIMITED"


async def test_too_heavy_a_query_gets_a_part(shared_world: World, ask: Asking) -> None:
    await shared_world.github.create_repository("gq-heavy", {"a": "1"})
    repository = await ask.repository_id("gq-heavy")
    shared_world.github.edge.limits.most_nodes = 100
    query = "query($ids: [ID!]!) {a: node(id: $one) {id} b: nodes(ids: $ids) {id}}".replace("(", "($one: ID!, ", 1)
    try:
        answer = await ask(query, one=repository, ids=[repository] * 100)
    finally:
        shared_world.github.edge.limits.most_nodes = None
    assert answer["errors"][0]["message"] == "Resource limits for this query exceeded."
    assert answer["errors"][0]["path"] == ["b"]


async def test_the_number_of_a_run_does_not_fit_into_graphql(shared_world: World, ask: Asking) -> None:
    """The schema's field has 32 bits, so the number must be kept as REST told it."""
    await shared_world.github.create_repository("gq-number", {".github/workflows/rebuild.yml": REBUILD})
    path = "/repos/contoso/gq-number/actions/workflows/rebuild.yml/dispatches"
    started = await shared_world.github.ask("POST", path, {"ref": "main", "return_run_details": True})
    assert started["workflow_run_id"] > 2**32
    [run] = shared_world.github.runs("gq-number")
    seen = await ask.data("query($id: ID!) {node(id: $id) {... on WorkflowRun {databaseId}}}", id=run.node_id)
    assert seen["node"] == {"databaseId": None}
