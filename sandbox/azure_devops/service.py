"""One organisation of Azure DevOps with its pipelines, as far as the bot asks it; nothing is executed here.

Rows are kept as they are shown. Each request and answer is held to the official description where that is at hand.
"""

import base64
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

import yaml

from bot.domain.clock import Clock
from sandbox.azure_devops.asked import PAGE, Question, Reply, missing, paged, refusal
from sandbox.azure_devops.described import mistakes_of_answer, mistakes_of_request
from sandbox.azure_devops.hooks import Hooks
from sandbox.azure_devops.pull_requests import ADA, PullRequests
from sandbox.azure_devops.repos import RIGHTS, Home, Repos
from sandbox.azure_devops.templates import expanded

Json = Any
PROJECT = {"id": "6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c", "name": "team one"}
NOBODY = {"id": "00000000-0000-0000-0000-000000000000", "providerDisplayName": "Anonymous"}
BOT = {"id": "8d3ae6c1-7c11-4c4a-8f3a-6c1d9d6d2b55", "providerDisplayName": "Freshness Bot"}
VIEW, QUEUE, EDIT_QUEUE, DEFINITION = (
    *("View builds", "Queue builds", "Edit queue build configuration"),
    "View build pipeline",
)
BITS = {1: VIEW, 128: QUEUE, 1024: DEFINITION, 65536: EDIT_QUEUE}
"""Of the security namespace Build."""
REPOSITORIES = "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87"
"""The security namespace Git Repositories."""
TAGS = "bb50f182-8e5e-40b8-bc21-e8752a1e7ae2"
"""The security namespace Tagging."""
FIRST_BUILD = 101
IDENTITY, LABELS = "Identity (read)", "Create tag definition"
OPS = {"id": "5d1b3a52-0c1f-4f0e-9a67-0c6a3f1f7d10", "providerDisplayName": f"[{PROJECT['name']}]\\Shop Ops"}
PEOPLE = (
    {"id": ADA["id"], "providerDisplayName": "Ada", "properties": {"Account": {"$value": ADA["uniqueName"]}}},
    {
        "id": "9f0c",
        "providerDisplayName": "Ada too",
        "properties": {"Account": {"$value": "x" + ADA["uniqueName"]}},
    },
    {**OPS, "isContainer": True},
)
_SIGN_IN = "<html>Sign in</html>"


class Sources(Protocol):
    """Where the repositories are that pipelines build."""

    async def head(self, repository: str, branch: str) -> str | None: ...

    async def text(self, repository: str, path: str, commit: str) -> str | None: ...


@dataclass(slots=True)
class Service:
    """Only who shows `token` is let in, and may what is not in `lacking`.

    `mistakes` are what was asked or answered otherwise than `folder` describes, None where that is not at hand.
    `headers` go with each answer, `refusal` comes in place of each. A build ends after `complete_after` looks, None
    for when it is told to; then `on_finished` is called. Without `sources` all branches are at one commit, and
    files declare every parameter but where `takes_none`. `templates` are those of other repositories, as pipelines
    name them. Of definitions and builds a `page` has so many.
    """

    folder: Path | None
    clock: Clock
    token: str = "good"
    sources: Sources | None = None
    repos: Repos = field(init=False)
    requests: PullRequests = field(init=False)
    hooks: Hooks = field(init=False)
    definitions: dict[int, dict[str, Json]] = field(default_factory=dict)
    builds: dict[int, dict[str, Json]] = field(default_factory=dict)
    timelines: dict[int, list[dict[str, Json]]] = field(default_factory=dict)
    approvals: dict[str, dict[str, Json]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    lacking: set[str] = field(default_factory=set)
    refusal: tuple[int, dict[str, Json]] | None = None
    takes_none: bool = False
    templates: dict[str, str] = field(default_factory=dict)
    page: int = PAGE
    complete_after: int | None = None
    on_finished: Callable[[dict[str, Json]], None] | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[Json] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    _looks: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.repos = Repos(self.clock, self.lacking, on_pushed=self._pushed_there)
        self.requests = PullRequests(self.repos)
        self.hooks = Hooks(self.clock)

    # --- what people do ---

    def define(self, number: int, built: str = "octo/shop", **values: Json) -> None:
        process = {"type": 2, "yamlFilename": "azure-pipelines.yml"}
        self.definitions[number] = {
            "id": number,
            "name": "shop",
            "project": PROJECT,
            "queueStatus": "enabled",
            "revision": 1,
            "process": process,
            "repository": {"id": built, "type": "GitHub", "defaultBranch": "refs/heads/main"},
            **values,
        }

    def build(self, number: int, definition: int = 12, **values: Json) -> None:
        self.builds[number] = {
            "_links": {"web": {"href": f"https://dev.azure.com/contoso/_build/results?buildId={number}"}},
            "id": number,
            "buildNumber": f"20261130.{number}",
            "definition": {"id": definition},
            "status": "completed",
            "result": "succeeded",
            "reason": "manual",
            "queueTime": "2026-11-30T10:11:12.1234567Z",
            "sourceBranch": "refs/heads/main",
            "sourceVersion": "c0ffee",
            "project": PROJECT,
            **values,
        }

    def finish(self, number: int, result: str = "succeeded") -> None:
        """Ends a build with Azure's word for it: succeeded, partiallySucceeded, failed or canceled."""
        row = self.builds[number]
        if row["status"] == "completed":
            return
        row |= {"status": "completed", "result": result, "finishTime": self._now()}
        if self.on_finished is not None:
            self.on_finished(row)

    def fail(self, number: int, job: str, task: str, message: str) -> None:
        """A task of a job fails, and says so first."""
        ended = {"result": "failed", "state": "completed", "finishTime": self._now()}
        issues = [{"type": "error", "message": message}]
        self.timelines[number] = [
            {"id": "job", "type": "Job", "name": job, **ended},
            {"id": "task", "parentId": "job", "type": "Task", "name": task, "issues": issues, **ended},
        ]
        self.finish(number, "failed")

    def hold(self, number: int, stage: str, *approvers: str) -> None:
        """A stage of a build waits until those have approved, or where nobody is named for a check."""
        going, check = {"state": "inProgress", "result": None}, f"{number}-check"
        kind = "Checkpoint.Approval" if approvers else "Checkpoint.TaskCheck"
        self.builds[number]["status"] = "inProgress"
        self.timelines[number] = [
            {"id": f"{number}-stage", "type": "Stage", "name": stage, "state": "pending"},
            {"id": f"{number}-point", "parentId": f"{number}-stage", "type": "Checkpoint", **going},
            {"id": check, "parentId": f"{number}-point", "type": kind, **going},
        ]
        asked = [{"assignedApprover": {"displayName": name}, "status": "pending"} for name in approvers]
        self.approvals[check] = {"id": check, "status": "pending", "steps": asked}

    def approve(self, number: int) -> None:
        """Whoever is asked lets the stage of a build go on."""
        for each in self.timelines[number]:
            each |= {"state": "completed", "result": "succeeded"}
        self.approvals.pop(f"{number}-check")

    def define_there(self, number: int, home: Home, **values: Json) -> None:
        """A pipeline that builds what Azure Repos hold."""
        built = {"id": home.id, "name": home.name, "type": "TfsGit", "defaultBranch": "refs/heads/main"}
        self.define(number, repository=built, **values)

    async def push(self, repository: str, branch: str, commit: str) -> None:
        """What starts where somebody has pushed: each pipeline whose file names no branches, or this one."""
        for number, row in self.definitions.items():
            if row["repository"]["id"].lower() != repository.lower() or row["queueStatus"] == "disabled":
                continue
            if _starts_on(await self._file(row, commit), branch):
                self._queue(number, branch, commit, "individualCI", {})

    def _pushed_there(self, home: Home, branch: str, commit: str) -> None:
        self.hooks.pushed(home, branch, commit)
        for number, row in self.definitions.items():
            if row["repository"]["id"] == home.id and row["queueStatus"] != "disabled":
                said = yaml.safe_load(home.git.text(commit, row["process"]["yamlFilename"]) or "")
                if isinstance(said, dict) and _starts_on(said, branch):
                    self._queue(number, branch, commit, "individualCI", {})

    # --- what is asked ---

    async def answer(self, question: Question) -> Reply:
        path = unquote(question.path)
        self.asked.append((question.method, path))
        self.bodies.append(question.body)
        if self.folder is not None:
            self.mistakes += mistakes_of_request(
                *(self.folder, question.method, question.path, question.query, question.body)
            )
        if question.authorization not in (f"Bearer {self.token}", _basic(self.token)):
            return Reply(203, _SIGN_IN, {"content-type": "text/html"})
        if self.refusal is not None:
            return Reply(*self.refusal, self.headers)
        reply = await self._reply(question.method, path.partition("/_apis/")[2].split("/"), question)
        if self.folder is not None and reply.status < 300 and not isinstance(reply.content, bytes):
            asked = question.method, question.path, question.query
            self.mistakes += mistakes_of_answer(self.folder, *asked, reply.content)
        return Reply(reply.status, reply.content, {**self.headers, **reply.headers})

    async def _reply(self, method: str, part: list[str], question: Question) -> Reply:
        match part:
            case ["git", *rest]:
                reply = self.requests.answer(method, rest, question)
                return self.repos.answer(method, rest, question) if reply is None else reply
            case ["policy", "evaluations"]:
                return self.requests.evaluations(question.query)
            case ["projects"]:
                return paged([PROJECT], question.query)
            case ["connectionData"]:
                return Reply(200, {"authenticatedUser": BOT, "instanceId": PROJECT["id"]})
            case ["hooks", "subscriptions"] if method == "POST":
                return self.hooks.subscribe(question.body)
            case ["identities"]:
                return self._identities(question.query["filterValue"])
            case ["security", "permissionevaluationbatch"] if method == "POST":
                return Reply(200, self._evaluated(question.body))
            case ["pipelines", "approvals"]:
                wanted = question.query.get("approvalIds", "").split(",")
                return paged([self.approvals[each] for each in wanted if each in self.approvals], question.query)
            case ["pipelines", number, "preview"] if method == "POST":
                return await self._previewed(int(number), question.body)
            case ["pipelines", number, "runs"] if method == "POST":
                return await self._started(int(number), question.body)
            case ["build", "definitions", *number]:
                return self._shown_definitions(number, question.query)
            case ["build", "builds", *number]:
                return self._shown_builds(number, question.query)
        return missing("no such route")

    def _identities(self, sought: str) -> Reply:
        """All who are called so, or whose names begin so."""
        if IDENTITY in self.lacking:
            return refusal(401, "UnauthorizedRequestException", "TF400813: The user is not authorized")
        rows = [each for each in PEOPLE if sought.lower() in str(each).lower().replace("\\\\", "\\")]
        return Reply(200, {"count": len(rows), "value": rows})

    def _evaluated(self, body: Json) -> Json:
        bits = {REPOSITORIES: RIGHTS, TAGS: {2: LABELS}}
        rows = [
            {**each, "value": bits.get(each["securityNamespaceId"], BITS)[each["permissions"]] not in self.lacking}
            for each in body["evaluations"]
        ]
        return {**body, "evaluations": rows}

    def _shown_definitions(self, number: list[str], query: Mapping[str, str]) -> Reply:
        shown = {} if DEFINITION in self.lacking else self.definitions
        if number:
            row = shown.get(int(number[0]))
            return missing("the definition is not there") if row is None else Reply(200, row)
        wanted = query.get("definitionIds", ",".join(map(str, shown))).split(",")
        built = query.get("repositoryId")
        rows = [row for key, row in shown.items() if str(key) in wanted]
        shown_rows = [_reference(row) for row in rows if built in (None, row["repository"]["id"])]
        return paged(shown_rows, query, self.page)

    def _shown_builds(self, number: list[str], query: Mapping[str, str]) -> Reply:
        if VIEW in self.lacking:
            return _denied(VIEW)
        if not number:
            rows = [self._look(row) for row in self.builds.values() if _is_wanted(row, query)]
            rows.sort(
                key=lambda row: str(row["queueTime"]), reverse=query.get("queryOrder") == "queueTimeDescending"
            )
            return paged(_most_of_each(rows, query), query, self.page)
        row = self.builds.get(int(number[0]))
        if row is None:
            return missing("the build is not there")
        if number[1:] == ["timeline"]:
            return Reply(200, {"records": self.timelines.get(row["id"], [])})
        return Reply(200, self._look(row)) if not number[1:] else missing("no such route")

    async def _started(self, number: int, body: Json) -> Reply:
        """A paused pipeline takes a request, and starts nothing."""
        row = self.definitions.get(number)
        if row is None:
            return missing("the pipeline is not there")
        handed = {**body.get("templateParameters", {}), **body.get("variables", {})}
        for right in (QUEUE, *([EDIT_QUEUE] if handed else [])):
            if right in self.lacking:
                return _denied(right)
        if row["queueStatus"] == "disabled":
            return _invalid("The pipeline is disabled")
        ref = body["resources"]["repositories"]["self"]["refName"]
        commit = await self._head(row, ref)
        if commit is None:
            return _invalid(f"Could not find {ref}")
        said = await self._file(row, commit)
        declared = {each["name"] for each in said.get("parameters", ())}
        for name in body.get("templateParameters", {}):
            is_read = self.sources is not None or row["repository"]["type"] == "TfsGit"
            if self.takes_none or (is_read and name not in declared):
                return _invalid(f"Unexpected parameter '{name}'")
        for name in body.get("variables", {}):
            if not row.get("variables", {}).get(name, {}).get("allowOverride"):
                return _invalid(f"Variable '{name}' is not settable at queue time")
        branch = ref.removeprefix("refs/heads/")
        made = self._queue(number, branch, commit, "manual", body.get("templateParameters", {}))
        return Reply(200, {"id": made, "state": "inProgress"})

    async def _previewed(self, number: int, body: Json) -> Reply:
        """What a run would be made of, which is not started."""
        row = self.definitions.get(number)
        if row is None or DEFINITION in self.lacking:
            return missing("the pipeline is not there")
        if QUEUE in self.lacking:
            return _denied(QUEUE)
        if body.get("previewRun") is not True:
            return _invalid("only asked for what would be run")
        commit = await self._head(row, body["resources"]["repositories"]["self"]["refName"])
        if commit is None:
            return _invalid("Could not find the branch")
        try:
            return Reply(200, {"finalYaml": expanded(await self._file(row, commit), self.templates)})
        except KeyError as error:
            return _invalid(f"/{row['process']['yamlFilename']}: File {error.args[0]} not found")

    def _queue(self, definition: int, branch: str, commit: str, reason: str, parameters: Json) -> int:
        number = max(self.builds, default=FIRST_BUILD - 1) + 1
        values = {"status": "notStarted", "result": None, "reason": reason, "queueTime": self._now()}
        at = {"sourceBranch": f"refs/heads/{branch}", "sourceVersion": commit, "templateParameters": parameters}
        self.build(number, definition, **values, **at)
        return number

    def _look(self, row: dict[str, Json]) -> dict[str, Json]:
        looks = self._looks[row["id"]] = self._looks.get(row["id"], 0) + 1
        is_paused = self.definitions.get(row["definition"]["id"], {}).get("queueStatus") == "paused"
        if row["status"] != "completed" and self.complete_after is not None and not is_paused:
            if looks > self.complete_after:
                self.finish(row["id"])
            else:
                row["status"] = "inProgress"
        return row

    async def _head(self, row: dict[str, Json], ref: str) -> str | None:
        if (home := self.repos.homes.get(row["repository"]["id"])) is not None:
            return home.git.branches.get(ref.removeprefix("refs/heads/"))
        if self.sources is None:
            return "c0ffee"
        return await self.sources.head(row["repository"]["id"], ref.removeprefix("refs/heads/"))

    async def _file(self, row: dict[str, Json], commit: str) -> dict[str, Json]:
        path = row["process"]["yamlFilename"]
        if (home := self.repos.homes.get(row["repository"]["id"])) is not None:
            text = home.git.text(commit, path)
        elif self.sources is None:
            return {}
        else:
            text = await self.sources.text(row["repository"]["id"], path, commit)
        said = yaml.safe_load(text or "")
        return said if isinstance(said, dict) else {}

    def _now(self) -> str:
        return self.clock.now().isoformat().replace("+00:00", "Z")


def _starts_on(said: Mapping[str, Json], branch: str) -> bool:
    """A file that says nothing of it starts on each branch, whoever's that is."""
    trigger = said.get("trigger", ["*"])
    branches = trigger.get("branches", {}).get("include", ["*"]) if isinstance(trigger, dict) else trigger
    return branches != "none" and any(each in ("*", branch) for each in branches)


def _basic(token: str) -> str:
    return "Basic " + base64.b64encode(f":{token}".encode()).decode()


def _invalid(message: str) -> Reply:
    return Reply(400, {"message": message, "typeKey": "PipelineValidationException"})


def _denied(right: str) -> Reply:
    message = f"TF215106: Access denied. Freshness Bot needs {right} permissions for build pipeline"
    return Reply(403, {"message": message, "typeKey": "AccessDeniedException"})


def _most_of_each(rows: list[dict[str, Json]], query: Mapping[str, str]) -> list[dict[str, Json]]:
    """So many builds of each definition as are asked for."""
    most, shown = int(query.get("maxBuildsPerDefinition", len(rows))), Counter[int]()
    kept = []
    for row in rows:
        shown[row["definition"]["id"]] += 1
        kept += [row] if shown[row["definition"]["id"]] <= most else []
    return kept


def _reference(row: dict[str, Json]) -> dict[str, Json]:
    """A definition as lists show it: what it builds is told of one alone."""
    return {key: value for key, value in row.items() if key not in ("repository", "variables")}


def _is_wanted(row: Mapping[str, Json], query: Mapping[str, str]) -> bool:
    ids, definitions = query.get("buildIds"), query.get("definitions")
    since = query.get("minTime", "").replace("+00:00", "Z")
    return (
        (ids is None or str(row["id"]) in ids.split(","))
        and (definitions is None or str(row["definition"]["id"]) in definitions.split(","))
        and query.get("reasonFilter", row["reason"]) == row["reason"]
        and query.get("resultFilter", row["result"]) == row["result"]
        and query.get("branchName", row["sourceBranch"]) == row["sourceBranch"]
        and row["queueTime"] >= since
    )
