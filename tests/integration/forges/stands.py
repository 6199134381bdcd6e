"""A forge or a builder to be tested, with the hands of the people who work there: the shared fake, GitHub as
played, and Azure Pipelines as played beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Protocol

from bot.clients.forges.azure_devops.forge import AzureRepos
from bot.clients.forges.azure_devops.names import AzureNode, node_of
from bot.domain.builder.definitions import Definition
from bot.domain.builder.port import Builder
from bot.domain.builder.runs import Artifact, FailedJob
from bot.domain.forge.port import Forge, TakenIn
from bot.domain.forge.pull_requests import MergeRequirements, RequestChange
from bot.domain.repositories.repository import AZURE_DEVOPS, Identity
from bot.domain.repositories.surroundings import EnvironmentProtection
from sandbox.azure_devops.pull_requests import ADA
from sandbox.azure_devops.repos import CREATE, READ, Home
from sandbox.azure_devops.service import DEFINITION, OPS, PROJECT, Service
from sandbox.world import World
from tests.fakes.forge import FakeForge
from tests.fakes.repository import FakeRepository

NOBODY = "nobody-of-that-name"
_NUMBERS = count(1)


class Stand(Protocol):
    @property
    def forge(self) -> Forge: ...

    async def repository(self, files: Mapping[str, bytes], *, executable: tuple[str, ...] = ()) -> Identity: ...

    async def push(self, repository: Identity, branch: str, files: Mapping[str, bytes]) -> str: ...

    async def content(self, repository: Identity, branch: str, path: str) -> bytes: ...

    async def branches(self, repository: Identity) -> Mapping[str, str]: ...

    async def merge(self, repository: Identity, number: int) -> None: ...

    async def close(self, repository: Identity, number: int) -> None: ...

    async def open_from(self, repository: Identity, branch: str) -> int:
        """A person opens a pull request from the branch; its number."""
        ...

    async def retarget(self, repository: Identity, number: int, onto: str) -> None:
        """A person lets it go to another branch."""
        ...

    @property
    def person(self) -> str:
        """Who may be asked for a review, as settings name them."""
        ...

    async def team(self) -> str:
        """One that may be asked for a review, as settings name it without owner."""
        ...

    async def asked_for_review(self, repository: Identity, number: int) -> list[str]:
        """People, then teams, as settings name them."""
        ...

    async def ask_work_item(self, repository: Identity) -> None:
        """A merge into `main` has to wait for one."""
        ...

    def link_work_item(self, number: int) -> None:
        """The bot is told which one."""
        ...

    async def refuse_branches(self, repository: Identity) -> None:
        """A rule keeps the bot from making a branch there."""
        ...

    async def show_nothing(self, repository: Identity) -> None:
        """What was granted to the bot is taken away."""
        ...

    async def rename(self, repository: Identity) -> str:
        """Its new name."""
        ...

    async def archive(self, repository: Identity) -> None: ...

    async def require_check(self, repository: Identity) -> None:
        """A merge into `main` has to wait for one; it may wait by itself."""
        ...

    async def pass_check(self, repository: Identity, sha: str) -> None: ...

    async def tag(self, repository: Identity, name: str, sha: str) -> None: ...

    async def let_scan(self, repository: Identity, *, on: bool) -> None:
        """Whether code scanning is switched on there."""
        ...

    async def scans(self, repository: Identity) -> list[str]:
        """The commits that findings were uploaded for."""
        ...

    async def reject_scans(self, repository: Identity) -> None:
        """What was uploaded turns out not to be shown."""
        ...


class Building(Protocol):
    """A builder to be tested, with the hands of the people whose runs it has, and the forge that holds what it
    builds."""

    @property
    def builder(self) -> Builder: ...

    @property
    def home(self) -> Stand: ...

    @property
    def counts_by_workflow(self) -> bool:
        """Whether a run's number is which one of its workflow it is."""
        ...

    @property
    def gone(self) -> str:
        """What a workflow is called that is not there."""
        ...

    @property
    def gone_node(self) -> str: ...

    @property
    def gone_run(self) -> str: ...

    async def define(self, repository: Identity, file: str) -> str:
        """What the workflow of this file is called, which is there from now on."""
        ...

    async def finish_run(self, repository: Identity, run: int, conclusion: str) -> None: ...

    async def fail_run(self, repository: Identity, run: int, failed: FailedJob) -> None: ...

    async def show_nothing(self, repository: Identity) -> None:
        """What was granted to the bot is taken away."""
        ...

    async def finish_build(self, repository: Identity, conclusion: str) -> None:
        """Of the last commit of the default branch, by .github/workflows/build.yml."""
        ...

    async def ran(self, repository: Identity, file: str, event: str, at: datetime, conclusion: str) -> None:
        """A run of the default branch that is over."""
        ...

    async def disable(self, repository: Identity, file: str) -> str:
        """Its state from now on."""
        ...

    async def leave_artifact(self, repository: Identity, run: int, name: str, *, has_expired: bool) -> None: ...

    async def protect(self, repository: Identity, name: str, asked: EnvironmentProtection) -> None:
        """An environment of this name, which asks that of deployments."""
        ...


@dataclass(slots=True)
class FakeStand:
    forge: FakeForge
    person = "ada"

    async def repository(self, files: Mapping[str, bytes], *, executable: tuple[str, ...] = ()) -> Identity:
        home = self.forge.add(f"contoso/made-{next(_NUMBERS)}", {"README.md": b""})
        for path, content in files.items():
            home.commit_to("main", {path: content}, mode="100755" if path in executable else "100644")
        return home.identity

    async def push(self, repository: Identity, branch: str, files: Mapping[str, bytes]) -> str:
        return self.held(repository).commit_to(branch, files)

    async def content(self, repository: Identity, branch: str, path: str) -> bytes:
        return self.held(repository).content(branch, path).encode()

    async def branches(self, repository: Identity) -> Mapping[str, str]:
        return dict(self.held(repository).branches)

    async def merge(self, repository: Identity, number: int) -> None:
        self.held(repository).merge(number)

    async def close(self, repository: Identity, number: int) -> None:
        self.held(repository).close(number)

    async def open_from(self, repository: Identity, branch: str) -> int:
        home = self.held(repository)
        request = RequestChange(branch, home.trunk, None, "By hand", "")
        made = await self.forge.carry_out(repository, None, None, request)
        home.edit(made.number, is_own=False)
        return made.number

    async def retarget(self, repository: Identity, number: int, onto: str) -> None:
        self.held(repository).edit(number, base=onto)

    async def team(self) -> str:
        return "platform"

    async def asked_for_review(self, repository: Identity, number: int) -> list[str]:
        asked = (name for people, teams in self.held(repository).reviewers for name in (*people, *teams))
        return list(dict.fromkeys(asked))

    async def ask_work_item(self, repository: Identity) -> None:
        self.held(repository).requirements = MergeRequirements(can_wait=True, asks_work_item=True)

    def link_work_item(self, number: int) -> None:
        self.forge.work_item = number

    async def refuse_branches(self, repository: Identity) -> None:
        self.held(repository).takes_no_branches = True

    async def show_nothing(self, repository: Identity) -> None:
        self.held(repository).is_gone, self.forge.sees_all = True, False

    async def rename(self, repository: Identity) -> str:
        home = self.held(repository)
        home.name = f"{home.name}-renamed"
        return home.name

    async def archive(self, repository: Identity) -> None:
        self.held(repository).is_archived = True

    async def require_check(self, repository: Identity) -> None:
        self.held(repository).requirements = MergeRequirements(requires_checks=True, can_wait=True)

    async def pass_check(self, repository: Identity, sha: str) -> None:
        self.held(repository).is_green = True

    async def tag(self, repository: Identity, name: str, sha: str) -> None:
        self.held(repository).tags[name] = sha

    async def let_scan(self, repository: Identity, *, on: bool) -> None:
        self.held(repository).has_code_scanning = on

    async def scans(self, repository: Identity) -> list[str]:
        return [commit for commit, _, _ in self.held(repository).uploads]

    async def reject_scans(self, repository: Identity) -> None:
        self.held(repository).taken_in = TakenIn(errors=("rejecting SARIF",))

    def held(self, repository: Identity) -> FakeRepository:
        return next(home for home in self.forge.homes if home.node_id == repository.node_id)


class _OfItsForge:
    """A builder that is the forge as well, whose workflows are files."""

    counts_by_workflow = True
    gone = "gone.yml"
    gone_node = "W_gone"
    gone_run = "CS_gone"

    async def define(self, repository: Identity, file: str) -> str:
        return file


@dataclass(slots=True)
class FakeBuilding(_OfItsForge):
    home: FakeStand

    @property
    def builder(self) -> Builder:
        return self.home.forge

    async def finish_run(self, repository: Identity, run: int, conclusion: str) -> None:
        self.home.held(repository).conclude(run, conclusion)

    async def fail_run(self, repository: Identity, run: int, failed: FailedJob) -> None:
        self.home.held(repository).failures[run] = failed
        self.home.held(repository).conclude(run, "failure")

    async def show_nothing(self, repository: Identity) -> None:
        await self.home.show_nothing(repository)

    async def finish_build(self, repository: Identity, conclusion: str) -> None:
        home = self.home.held(repository)
        home.build(home.branches[home.trunk], conclusion=conclusion)

    async def ran(self, repository: Identity, file: str, event: str, at: datetime, conclusion: str) -> None:
        self.home.held(repository).ran(file, event, at, conclusion)

    async def disable(self, repository: Identity, file: str) -> str:
        self.home.held(repository).states[file] = "disabled_inactivity"
        return "disabled_inactivity"

    async def leave_artifact(self, repository: Identity, run: int, name: str, *, has_expired: bool) -> None:
        left = self.home.held(repository).artifacts.setdefault(run, [])
        left.append(Artifact(len(left) + 1, name, 100, has_expired))

    async def protect(self, repository: Identity, name: str, asked: EnvironmentProtection) -> None:
        self.home.held(repository).environments[name.lower()] = asked


@dataclass(slots=True)
class GitHubStand:
    forge: Forge
    world: World
    names: dict[str, str] = field(default_factory=dict)
    """What each repository is called now, by node id."""
    person = "operator"

    async def repository(self, files: Mapping[str, bytes], *, executable: tuple[str, ...] = ()) -> Identity:
        made = {"README.md": b"", **files}
        name = await self.world.github.create_repository(
            f"made-{next(_NUMBERS)}",
            {path: content.decode() for path, content in made.items()},
            executable=executable,
        )
        row = await self.world.github.ask("GET", f"/repos/{name}")
        self.names[row["node_id"]] = name
        return Identity(name, row["node_id"])

    async def push(self, repository: Identity, branch: str, files: Mapping[str, bytes]) -> str:
        github, name = self.world.github, self.name_of(repository)
        if branch not in await github.branches(name):
            await github.branch(name, branch)
        return await github.push(name, {path: content.decode() for path, content in files.items()}, branch=branch)

    async def content(self, repository: Identity, branch: str, path: str) -> bytes:
        return (await self.world.github.read(self.name_of(repository), path, branch)).encode()

    async def branches(self, repository: Identity) -> Mapping[str, str]:
        return await self.world.github.branches(self.name_of(repository))

    async def merge(self, repository: Identity, number: int) -> None:
        await self.world.github.merge(self.name_of(repository), number)

    async def close(self, repository: Identity, number: int) -> None:
        await self.world.github.close(self.name_of(repository), number)

    async def open_from(self, repository: Identity, branch: str) -> int:
        body = {"title": "By hand", "head": branch, "base": "main", "body": ""}
        made = await self.world.github.ask("POST", f"/repos/{self.name_of(repository)}/pulls", body)
        return int(made["number"])

    async def retarget(self, repository: Identity, number: int, onto: str) -> None:
        path = f"/repos/{self.name_of(repository)}/pulls/{number}"
        await self.world.github.ask("PATCH", path, {"base": onto})

    async def team(self) -> str:
        await self.world.github.create_team(team := f"team-{next(_NUMBERS)}")
        return team

    async def asked_for_review(self, repository: Identity, number: int) -> list[str]:
        shown = await self.world.github.ask("GET", f"/repos/{self.name_of(repository)}/pulls/{number}")
        people = [each["login"] for each in shown["requested_reviewers"]]
        return [*people, *(each["slug"] for each in shown["requested_teams"])]

    async def ask_work_item(self, repository: Identity) -> None:
        raise NotImplementedError

    def link_work_item(self, number: int) -> None:
        raise NotImplementedError

    async def refuse_branches(self, repository: Identity) -> None:
        self.world.github.forbid(self.name_of(repository), "freshness/*", "creation")

    async def show_nothing(self, repository: Identity) -> None:
        await self.world.github.ask("DELETE", f"/repos/{self.name_of(repository)}")

    async def rename(self, repository: Identity) -> str:
        name = self.name_of(repository)
        new = f"{name.partition('/')[2]}-renamed"
        await self.world.github.ask("PATCH", f"/repos/{name}", {"name": new})
        assert repository.node_id is not None
        self.names[repository.node_id] = f"contoso/{new}"
        return f"contoso/{new}"

    async def archive(self, repository: Identity) -> None:
        await self.world.github.ask("PATCH", f"/repos/{self.name_of(repository)}", {"archived": True})

    async def require_check(self, repository: Identity) -> None:
        self.world.github.protect(self.name_of(repository), checks=("build",))
        self.world.github.edge.overlays[self.name_of(repository)]["allow_auto_merge"] = True

    async def pass_check(self, repository: Identity, sha: str) -> None:
        self.world.github.report_check(self.name_of(repository), sha, "build", "success")

    async def tag(self, repository: Identity, name: str, sha: str) -> None:
        made = {"ref": f"refs/tags/{name}", "sha": sha}
        await self.world.github.ask("POST", f"/repos/{self.name_of(repository)}/git/refs", made)

    async def let_scan(self, repository: Identity, *, on: bool) -> None:
        enabled = self.world.github.code_scanning.enabled
        (enabled.add if on else enabled.discard)(self.name_of(repository))

    async def scans(self, repository: Identity) -> list[str]:
        uploads = self.world.github.code_scanning.uploads[self.name_of(repository)]
        return [commit for commit, _, _ in uploads]

    async def reject_scans(self, repository: Identity) -> None:
        self.world.github.code_scanning.processing[self.name_of(repository)] = "failed"

    def name_of(self, repository: Identity) -> str:
        assert repository.node_id is not None
        return self.names[repository.node_id]


@dataclass(slots=True)
class GitHubBuilding(_OfItsForge):
    builder: Builder
    home: GitHubStand

    async def finish_run(self, repository: Identity, run: int, conclusion: str) -> None:
        self.home.world.github.finish_run(run, conclusion)

    async def fail_run(self, repository: Identity, run: int, failed: FailedJob) -> None:
        self.home.world.github.fail_run(run, failed.job, failed.step, failed.message)

    async def show_nothing(self, repository: Identity) -> None:
        await self.home.show_nothing(repository)

    async def finish_build(self, repository: Identity, conclusion: str) -> None:
        [*_, run] = self.home.world.github.runs(self.home.name_of(repository))
        self.home.world.github.finish_run(run.id, conclusion)

    async def ran(self, repository: Identity, file: str, event: str, at: datetime, conclusion: str) -> None:
        path = f".github/workflows/{file}"
        await self.home.world.github.record_run(self.home.name_of(repository), path, event, at, conclusion)

    async def disable(self, repository: Identity, file: str) -> str:
        state, path = "disabled_inactivity", f".github/workflows/{file}"
        self.home.world.github.disable_workflow(self.home.name_of(repository), path, state)
        return state

    async def leave_artifact(self, repository: Identity, run: int, name: str, *, has_expired: bool) -> None:
        self.home.world.github.artifacts.leave(run, name, {"report.json": b"{}"}).has_expired = has_expired

    async def protect(self, repository: Identity, name: str, asked: EnvironmentProtection) -> None:
        reviewers, apps = ("ada",) if asked.has_reviewers else (), ("gate",) if asked.has_own_rules else ()
        rules = self.home.world.github.environments.rules.setdefault(self.home.name_of(repository), {})
        rules[name] = (asked.waits, reviewers, apps)


@dataclass(slots=True)
class AzureStand:
    """Azure Repos of one organisation of the sandbox."""

    forge: AzureRepos
    service: Service
    person = ADA["uniqueName"]

    def held(self, repository: Identity) -> Home:
        return self.service.repos.homes[node_of(repository.node_id or "").id]

    async def repository(self, files: Mapping[str, bytes], *, executable: tuple[str, ...] = ()) -> Identity:
        home = self.service.repos.create(f"made {next(_NUMBERS)}", PROJECT)
        for path, content in {"README.md": b"", **files}.items():
            mode = "100755" if path in executable else "100644"
            self.service.repos.push(home, "main", {path: content}, mode=mode)
        node = AzureNode("contoso", PROJECT["id"], "git", home.id)
        return Identity(f"contoso/{PROJECT['name']}/{home.name}", str(node), AZURE_DEVOPS)

    async def push(self, repository: Identity, branch: str, files: Mapping[str, bytes]) -> str:
        return self.service.repos.push(self.held(repository), branch, files)

    async def content(self, repository: Identity, branch: str, path: str) -> bytes:
        git = self.held(repository).git
        return git.contents[git.commits[git.branches[branch]].files[path][1]]

    async def branches(self, repository: Identity) -> Mapping[str, str]:
        return dict(self.held(repository).git.branches)

    async def rename(self, repository: Identity) -> str:
        home = self.held(repository)
        home.name = f"{home.name} renamed"
        return f"contoso/{PROJECT['name']}/{home.name}"

    async def archive(self, repository: Identity) -> None:
        self.held(repository).is_disabled = True

    async def merge(self, repository: Identity, number: int) -> None:
        self.service.requests.complete(number)

    async def close(self, repository: Identity, number: int) -> None:
        self.service.requests.abandon(number)

    async def open_from(self, repository: Identity, branch: str) -> int:
        return self.service.requests.open_by_hand(self.held(repository), branch)

    async def retarget(self, repository: Identity, number: int, onto: str) -> None:
        self.service.requests.rows[number]["targetRefName"] = f"refs/heads/{onto}"

    async def team(self) -> str:
        return OPS["providerDisplayName"].rpartition("\\")[2]

    async def asked_for_review(self, repository: Identity, number: int) -> list[str]:
        called = {ADA["id"]: self.person, OPS["id"]: await self.team()}
        return [called[each["id"]] for each in self.service.requests.rows[number].get("reviewers", ())]

    async def ask_work_item(self, repository: Identity) -> None:
        self.service.requests.linking.add(self.held(repository).id)

    def link_work_item(self, number: int) -> None:
        self.forge.work_items = {"contoso": number}

    async def refuse_branches(self, repository: Identity) -> None:
        self.service.lacking.add(CREATE)

    async def show_nothing(self, repository: Identity) -> None:
        self.service.lacking.add(READ)

    async def require_check(self, repository: Identity) -> None:
        self.service.requests.guard(self.held(repository))

    async def pass_check(self, repository: Identity, sha: str) -> None:
        self.service.requests.pass_build(sha)

    async def tag(self, repository: Identity, name: str, sha: str) -> None:
        raise NotImplementedError

    async def let_scan(self, repository: Identity, *, on: bool) -> None:
        raise NotImplementedError

    async def scans(self, repository: Identity) -> list[str]:
        raise NotImplementedError

    async def reject_scans(self, repository: Identity) -> None:
        raise NotImplementedError

    def name_of(self, repository: Identity) -> str:
        return repository.name


_RESULTS = {"success": "succeeded", "failure": "failed", "cancelled": "canceled"}
_REASONS = {"push": "individualCI", "schedule": "schedule", "workflow_dispatch": "manual"}
_DEFINITIONS = count(1_000)


@dataclass(slots=True)
class PipelinesBuilding:
    """Pipelines of Azure DevOps over what GitHub or Azure Repos hold; `builder` routes as the service does."""

    builder: Builder
    home: GitHubStand | AzureStand
    service: Service
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    """By repository and file."""

    counts_by_workflow = False
    gone = Definition("contoso", PROJECT["name"], 999_999).workflow
    gone_node = f"contoso/{PROJECT['id']}/definition/999999"
    gone_run = f"contoso/{PROJECT['id']}/build/999999"

    async def define(self, repository: Identity, file: str) -> str:
        name, path, number = self.home.name_of(repository), f"pipelines/{file}", next(_DEFINITIONS)
        trigger = "[main]" if file == "build.yml" else "none"
        text = f"trigger: {trigger}\nparameters: [{{name: correlation, type: string, default: ''}}]\nsteps: []\n"
        await self.home.push(repository, "main", {path: text.encode()})
        process = {"type": 2, "yamlFilename": path}
        if isinstance(self.home, AzureStand):
            self.service.define_there(number, self.home.held(repository), process=process)
        else:
            self.service.define(number, name, process=process)
        self.numbers[name, file] = number
        return Definition("contoso", PROJECT["name"], number).workflow

    async def finish_run(self, repository: Identity, run: int, conclusion: str) -> None:
        self.service.finish(run, _RESULTS[conclusion])

    async def fail_run(self, repository: Identity, run: int, failed: FailedJob) -> None:
        self.service.fail(run, failed.job, failed.step, failed.message)

    async def show_nothing(self, repository: Identity) -> None:
        self.service.lacking.add(DEFINITION)

    async def finish_build(self, repository: Identity, conclusion: str) -> None:
        self.service.finish(max(self.service.builds), _RESULTS[conclusion])

    async def ran(self, repository: Identity, file: str, event: str, at: datetime, conclusion: str) -> None:
        moment = at.isoformat().replace("+00:00", "Z")
        number = max(self.service.builds, default=100) + 1
        values = {"reason": _REASONS[event], "result": _RESULTS[conclusion]}
        definition = self.numbers[self.home.name_of(repository), file]
        self.service.build(number, definition, queueTime=moment, finishTime=moment, **values)

    async def disable(self, repository: Identity, file: str) -> str:
        self.service.definitions[self.numbers[self.home.name_of(repository), file]]["queueStatus"] = "disabled"
        return "disabled"

    async def leave_artifact(self, repository: Identity, run: int, name: str, *, has_expired: bool) -> None:
        raise NotImplementedError

    async def protect(self, repository: Identity, name: str, asked: EnvironmentProtection) -> None:
        raise NotImplementedError
