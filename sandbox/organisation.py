"""The sandbox's organisation in a maintainer's words: repositories, commits, pull requests, runs."""

import base64
import json
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from sandbox.edges.edge import PATIENCE
from sandbox.github.access.app import App
from sandbox.github.access.installations import Installation
from sandbox.github.access.permissions import FineGrained
from sandbox.github.access.teams import Teams
from sandbox.github.actions.actions import Actions
from sandbox.github.actions.artifacts import Artifacts
from sandbox.github.actions.jobs import Jobs
from sandbox.github.actions.runs import RedJob, Run
from sandbox.github.actions.workflows import Workflows
from sandbox.github.edge import GitHubEdge
from sandbox.github.graphql.endpoint import GraphQL
from sandbox.github.graphql.playing import Parts
from sandbox.github.pull_requests.merging import Merging
from sandbox.github.pull_requests.pull_requests import PullRequests
from sandbox.github.pull_requests.pulls import Pulls
from sandbox.github.pull_requests.requirements import Requirements
from sandbox.github.repositories.code_scanning import CodeScanning
from sandbox.github.repositories.deployment_records import DeploymentRecords
from sandbox.github.repositories.environments import Environments
from sandbox.github.repositories.git import Git
from sandbox.github.repositories.listings import Listings
from sandbox.github.repositories.refs import Refs
from sandbox.github.repositories.rules import Protection, Rule, Rules, protection
from sandbox.programs.emulator import APP_ID, BOT_TOKEN, INSTALLATION_ID, OPERATOR_TOKEN, ORGANISATION, Emulator

Json = Any
Files = Mapping[str, str | bytes | None]
"""Path → content; None deletes the file."""

KEPT_BY_THE_EDGE = ("fork", "pushed_at", "topics", "disabled", "lock_reason", "allow_auto_merge")


class Organisation:
    """Speaks to GitHub's edge as the operator: nothing here is logged as traffic or meets a fault."""

    name = ORGANISATION
    token = BOT_TOKEN
    app_id = APP_ID
    installation_id = INSTALLATION_ID

    def __init__(self, edge: GitHubEdge, emulator: Emulator) -> None:
        self.url = edge.url
        """Where programs go, as `github.api_url` has it."""
        self.edge = edge
        self.private_key = emulator.private_key
        for number, account in emulator.installations.items():
            edge.installations.all[number] = Installation(number, account)
        App(edge)
        Teams(edge)
        Listings(edge)
        self.actions = Actions(edge)
        Workflows(edge, self.actions)
        Jobs(edge, self.actions)
        self.artifacts = Artifacts(edge, self.actions)
        self.code_scanning = CodeScanning(edge)
        self.deployment_records = DeploymentRecords(edge)
        self.environments = Environments(edge, self.actions)
        git = Git(edge)
        self.rules = Rules(edge)
        self.requests = PullRequests(edge, git, self.actions, Requirements(edge, self.actions, self.rules))
        Pulls(edge, self.requests)
        self.refs = refs = Refs(edge, self.requests)
        self.merging = Merging(edge, self.requests)
        GraphQL(Parts(edge, git, self.requests, refs, self.merging, self.actions))

    async def create_repository(self, name: str, files: Files, **flags: Json) -> str:
        """Makes `contoso/name` with one commit of `files` on `main`, which starts no runs; answers its full name.

        `flags`: `private`, `archived`, `disabled`, `lock_reason`, `fork`, `topics`, `pushed_at`, `description`,
        `allow_auto_merge`, and `executable`, the files that have that bit.
        """
        full_name = f"{self.name}/{name}"
        kept = {key: flags.pop(key) for key in KEPT_BY_THE_EDGE if key in flags}
        archived, executable = flags.pop("archived", False), flags.pop("executable", ())
        async with self._client() as client:
            await _ask(client, "POST", f"/orgs/{self.name}/repos", {"name": name, **flags})
            sha = await _commit(client, full_name, files, [], None, "Initial commit", executable)
            await _ask(client, "POST", f"/repos/{full_name}/git/refs", {"ref": "refs/heads/main", "sha": sha})
            if archived:
                await _ask(client, "PATCH", f"/repos/{full_name}", {"archived": True})
        self.edge.overlays.setdefault(full_name, {}).update(kept)
        self.actions.forget(full_name)
        return full_name

    async def holds(self, name: str) -> bool:
        """Whether there is a repository of that name, however many others there are."""
        async with self._client() as client:
            return (await client.get(f"/repos/{self._full(name)}")).status_code == 200

    async def push(self, repository: str, files: Files, message: str = "Change", branch: str = "main") -> str:
        """Commits to an existing branch of `contoso/repository`; answers the commit."""
        full_name = self._full(repository)
        async with self._client() as client:
            head = await _ask(client, "GET", f"/repos/{full_name}/git/ref/heads/{quote(branch)}")
            parent = head["object"]["sha"]
            tree = (await _ask(client, "GET", f"/repos/{full_name}/git/commits/{parent}"))["tree"]["sha"]
            sha = await _commit(client, full_name, files, [parent], tree, message)
            await _ask(client, "PATCH", f"/repos/{full_name}/git/refs/heads/{quote(branch)}", {"sha": sha})
        return sha

    async def head(self, repository: str, branch: str = "main") -> str:
        """The commit at the tip of a branch."""
        found = await self.ask("GET", f"/repos/{self._full(repository)}/git/ref/heads/{quote(branch)}")
        return str(found["object"]["sha"])

    async def branch(self, repository: str, name: str, at: str | None = None) -> None:
        """Makes a branch at a commit, or else where `main` is."""
        body = {"ref": f"refs/heads/{name}", "sha": at or await self.head(repository)}
        await self.ask("POST", f"/repos/{self._full(repository)}/git/refs", body)

    async def branches(self, repository: str) -> dict[str, str]:
        """Every branch and the commit at its tip."""
        rows = await self.ask("GET", f"/repos/{self._full(repository)}/branches?per_page=100")
        return {row["name"]: row["commit"]["sha"] for row in rows}

    def guard_environment(self, repository: str, environment: str) -> None:
        """From now on somebody must let each run into it: `actions.approve`."""
        self.actions.environments.setdefault(self._full(repository), set()).add(environment)

    def disable_workflow(self, repository: str, path: str, state: str = "disabled_manually") -> None:
        """`state` in GitHub's words: disabled_inactivity, disabled_fork, …"""
        self.actions.states[self._full(repository), path] = state

    async def record_run(self, repository: str, path: str, event: str, at: datetime, conclusion: str) -> None:
        """A run that is over, as history."""
        body = {"path": path, "event": event, "at": at.isoformat(), "conclusion": conclusion}
        await self.ask("POST", f"/sandbox/{self._full(repository)}/runs", body)

    def suspend(self, organisation: str) -> None:
        """Its owner suspends the App's installation."""
        self.edge.installations.of(organisation).suspended_at = self.edge.surroundings.clock.now()

    def uninstall(self, organisation: str) -> None:
        """Its owner removes the App."""
        self.edge.installations.of(organisation).is_removed = True

    def protect(
        self,
        repository: str,
        branch: str = "main",
        *,
        checks: tuple[str, ...] = (),
        reviews: int = 0,
        strict: bool = False,
        queue: str | None = None,
    ) -> None:
        """What must hold before a merge; `queue` is the method of a merge queue: MERGE, SQUASH or REBASE."""
        for rule in protection(branch, checks, reviews, strict=strict, queue=queue):
            self.rules.add(self._number(repository), rule)

    def forbid(
        self, repository: str, branches: str, kind: str, /, *, bypassed: bool = False, **parameters: Json
    ) -> None:
        """A rule for branches of a pattern, in GitHub's words: `forbid("shop", "freshness/*", "creation")`. The bot
        may pass one that is `bypassed`."""
        self.rules.add(self._number(repository), Rule(branches, kind, parameters, bypassed))

    def protect_classically(self, repository: str, protection: Protection) -> None:
        """The older protection of branches."""
        self.rules.protections.setdefault(self._number(repository), []).append(protection)

    def take_for_secret(self, repository: str, text: str) -> None:
        """Push protection finds a secret in whatever holds this text."""
        self.rules.secrets.setdefault(self._number(repository), []).append(text.encode())

    async def sign(self, repository: str, branch: str = "main") -> None:
        """The commit at the tip of a branch is shown as verified, as those are that people sign."""
        self.edge.signed.add(await self.head(repository, branch))

    def restrict_token(self, **rights: str) -> None:
        """The bot's token is a fine-grained one with these rights; without any it may all that its user may."""
        self.edge.fine_grained = FineGrained(rights) if rights else None

    def report_check(self, repository: str, sha: str, name: str, conclusion: str | None) -> None:
        """What a check says of a commit; None while it runs."""
        self.rules.checks.setdefault((self._number(repository), sha), {})[name] = conclusion

    async def review(self, repository: str, number: int, event: str = "APPROVE") -> None:
        """The operator reviews a pull request: APPROVE, REQUEST_CHANGES or COMMENT."""
        path = f"/repos/{self._full(repository)}/pulls/{number}/reviews"
        await self.ask("POST", path, {"event": event, "body": "seen"})

    async def enqueue(self, repository: str, number: int) -> None:
        """A person puts a pull request into the merge queue."""
        pull = await self.ask("GET", f"/repos/{self._full(repository)}/pulls/{number}")
        text = "mutation($id: ID!) { enqueuePullRequest(input: {pullRequestId: $id}) { clientMutationId } }"
        asked = {"query": text, "variables": {"id": pull["node_id"]}}
        answer = await self.ask("POST", "/graphql", asked)
        assert "errors" not in answer, answer

    async def land_queue(self, repository: str) -> None:
        """The merge queue merges all that is in it, as one push."""
        await self.ask("POST", f"/sandbox/{self._full(repository)}/queue")

    def _number(self, repository: str) -> int:
        number = self.edge.identities.number_of(self._full(repository))
        assert number is not None, f"there is no {repository}"
        return number

    async def rename(self, repository: str, name: str) -> None:
        await self.ask("PATCH", f"/repos/{self._full(repository)}", {"name": name})

    async def transfer(self, repository: str, organisation: str) -> None:
        await self.ask("POST", f"/repos/{self._full(repository)}/transfer", {"new_owner": organisation})

    async def create_team(self, slug: str) -> None:
        await self.ask("POST", f"/orgs/{self.name}/teams", {"name": slug})

    async def read(self, repository: str, path: str, ref: str = "main") -> str:
        """The text of a file. Raises `FileNotFoundError`."""
        url = f"/repos/{self._full(repository)}/contents/{quote(path)}?ref={quote(ref)}"
        async with self._client() as client:
            answer = await client.get(url)
        if answer.status_code == 404:
            raise FileNotFoundError(f"{repository}@{ref} has no {path}")
        answer.raise_for_status()
        return base64.b64decode(answer.json()["content"]).decode()

    async def pull_requests(self, repository: str, state: str = "open") -> list[Json]:
        """As GitHub's REST API lists them, newest first; `state` is open, closed or all."""
        path = f"/repos/{self._full(repository)}/pulls?state={state}&per_page=100"
        async with self._client() as client:
            rows: list[Json] = await _ask(client, "GET", path)
        return rows

    async def merge(self, repository: str, number: int) -> str:
        """Merges a pull request; answers the merge commit."""
        async with self._client() as client:
            merged = await _ask(client, "PUT", f"/repos/{self._full(repository)}/pulls/{number}/merge", {})
        return str(merged["sha"])

    async def close(self, repository: str, number: int) -> None:
        """Closes a pull request without merging it."""
        path = f"/repos/{self._full(repository)}/pulls/{number}"
        async with self._client() as client:
            await _ask(client, "PATCH", path, {"state": "closed"})

    async def reopen(self, repository: str, number: int) -> None:
        """Opens a closed pull request again."""
        path = f"/repos/{self._full(repository)}/pulls/{number}"
        async with self._client() as client:
            await _ask(client, "PATCH", path, {"state": "open"})

    async def delete_branch(self, repository: str, branch: str) -> None:
        path = f"/repos/{self._full(repository)}/git/refs/heads/{quote(branch)}"
        async with self._client() as client:
            await _ask(client, "DELETE", path)

    async def issues(self, repository: str) -> list[Json]:
        """The open ones that are no pull requests."""
        async with self._client() as client:
            rows = await _ask(client, "GET", f"/repos/{self._full(repository)}/issues?per_page=100")
        return [row for row in rows if "pull_request" not in row]

    async def edit_issue(self, repository: str, number: int, body: str) -> None:
        """Gives an issue another text, as a person does who ticks a box in it."""
        async with self._client() as client:
            await _ask(client, "PATCH", f"/repos/{self._full(repository)}/issues/{number}", {"body": body})

    async def comments(self, repository: str, number: int) -> list[str]:
        """What was said on an issue or pull request, oldest first."""
        path = f"/repos/{self._full(repository)}/issues/{number}/comments?per_page=100"
        async with self._client() as client:
            return [row["body"] for row in await _ask(client, "GET", path)]

    async def ask(self, method: str, path: str, body: Json = None) -> Json:
        """Any other request to GitHub's API, as the operator."""
        async with self._client() as client:
            return await _ask(client, method, path, body)

    def runs(self, repository: str | None = None) -> list[Run]:
        """Every workflow run, oldest first."""
        wanted = self._full(repository) if repository else None
        return [run for run in list(self.actions.runs.values()) if wanted in (None, run.workflow.repository)]

    def fail_run(self, run_id: int, job: str, step: str, *annotations: str) -> None:
        """A step of a job fails, and says so; each annotation is one of a failure, after one of a warning."""
        shown = (("warning", "Node.js 20 is deprecated"), *(("failure", text) for text in annotations))
        self.actions.failures[run_id] = RedJob(job, step, shown)
        self.actions.finish(run_id, "failure")

    def finish_run(self, run_id: int, conclusion: str = "success") -> None:
        self.actions.finish(run_id, conclusion)

    def complete_runs_after(self, looks: int | None) -> None:
        """Runs end with success after they were looked at this often; None: only when told."""
        self.actions.complete_after = looks

    def expire_installation_tokens(self) -> None:
        """Every installation token given out so far is refused from now on, as after its hour."""
        self.edge.installations.expire()

    def _full(self, repository: str) -> str:
        return repository if "/" in repository else f"{self.name}/{repository}"

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"authorization": f"Bearer {OPERATOR_TOKEN}"}
        async with httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=PATIENCE, trust_env=False, verify=False
        ) as client:
            yield client


async def _commit(
    client: httpx.AsyncClient,
    full_name: str,
    files: Files,
    parents: list[str],
    base: str | None,
    message: str,
    executable: Collection[str] = (),
) -> str:
    entries = []
    for path, content in files.items():
        mode = "100755" if path in executable else "100644"
        entry: dict[str, Json] = {"path": path, "mode": mode, "type": "blob"}
        if content is None:
            entry["sha"] = None
        elif isinstance(content, bytes):
            blob = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
            entry["sha"] = (await _ask(client, "POST", f"/repos/{full_name}/git/blobs", blob))["sha"]
        else:
            entry["content"] = content
        entries.append(entry)
    tree: dict[str, Json] = {"tree": entries, **({"base_tree": base} if base else {})}
    made = await _ask(client, "POST", f"/repos/{full_name}/git/trees", tree)
    commit = {"message": message, "tree": made["sha"], "parents": parents}
    return str((await _ask(client, "POST", f"/repos/{full_name}/git/commits", commit))["sha"])


async def _ask(client: httpx.AsyncClient, method: str, path: str, body: Json = None) -> Json:
    answer = await client.request(method, path, content=None if body is None else json.dumps(body))
    if answer.status_code >= 400:
        raise RuntimeError(f"{method} {path} was answered {answer.status_code}: {answer.text[:300]}")
    return answer.json() if answer.content else None
