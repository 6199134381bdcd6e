"""A forge to be tested, with the hands of the people who work there: the shared fake, and GitHub as played."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Protocol

from bot.domain.forge.port import Forge, TakenIn
from bot.domain.forge.pull_requests import MergeRequirements
from bot.domain.forge.runs import Artifact
from bot.domain.repositories.repository import Identity
from bot.domain.repositories.surroundings import EnvironmentProtection
from sandbox.world import World
from tests.fakes.forge import FakeForge
from tests.fakes.repository import FakeRepository

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

    async def rename(self, repository: Identity) -> str:
        """Its new name."""
        ...

    async def archive(self, repository: Identity) -> None: ...

    async def finish_run(self, repository: Identity, run: int, conclusion: str) -> None: ...

    async def require_check(self, repository: Identity) -> None:
        """A merge into `main` has to wait for one; it may wait by itself."""
        ...

    async def pass_check(self, repository: Identity, sha: str) -> None: ...

    async def finish_build(self, repository: Identity, conclusion: str) -> None:
        """Of the last commit of the default branch, by .github/workflows/build.yml."""
        ...

    async def ran(self, repository: Identity, file: str, event: str, at: datetime, conclusion: str) -> None:
        """A run of the default branch that is over."""
        ...

    async def disable(self, repository: Identity, file: str, state: str) -> None: ...

    async def tag(self, repository: Identity, name: str, sha: str) -> None: ...

    async def leave_artifact(self, repository: Identity, run: int, name: str, *, has_expired: bool) -> None: ...

    async def let_scan(self, repository: Identity, *, on: bool) -> None:
        """Whether code scanning is switched on there."""
        ...

    async def scans(self, repository: Identity) -> list[str]:
        """The commits that findings were uploaded for."""
        ...

    async def protect(self, repository: Identity, name: str, asked: EnvironmentProtection) -> None:
        """An environment of this name, which asks that of deployments."""
        ...

    async def reject_scans(self, repository: Identity) -> None:
        """What was uploaded turns out not to be shown."""
        ...


@dataclass(slots=True)
class FakeStand:
    forge: FakeForge

    async def repository(self, files: Mapping[str, bytes], *, executable: tuple[str, ...] = ()) -> Identity:
        home = self.forge.add(f"contoso/made-{next(_NUMBERS)}", {"README.md": b""})
        for path, content in files.items():
            home.commit_to("main", {path: content}, mode="100755" if path in executable else "100644")
        return home.identity

    async def push(self, repository: Identity, branch: str, files: Mapping[str, bytes]) -> str:
        return self._home(repository).commit_to(branch, files)

    async def content(self, repository: Identity, branch: str, path: str) -> bytes:
        return self._home(repository).content(branch, path).encode()

    async def branches(self, repository: Identity) -> Mapping[str, str]:
        return dict(self._home(repository).branches)

    async def merge(self, repository: Identity, number: int) -> None:
        self._home(repository).merge(number)

    async def close(self, repository: Identity, number: int) -> None:
        self._home(repository).close(number)

    async def rename(self, repository: Identity) -> str:
        home = self._home(repository)
        home.name = f"{home.name}-renamed"
        return home.name

    async def archive(self, repository: Identity) -> None:
        self._home(repository).is_archived = True

    async def finish_run(self, repository: Identity, run: int, conclusion: str) -> None:
        self._home(repository).conclude(run, conclusion)

    async def require_check(self, repository: Identity) -> None:
        self._home(repository).requirements = MergeRequirements(requires_checks=True, can_wait=True)

    async def pass_check(self, repository: Identity, sha: str) -> None:
        self._home(repository).is_green = True

    async def finish_build(self, repository: Identity, conclusion: str) -> None:
        home = self._home(repository)
        home.build(home.branches[home.trunk], conclusion=conclusion)

    async def ran(self, repository: Identity, file: str, event: str, at: datetime, conclusion: str) -> None:
        self._home(repository).ran(file, event, at, conclusion)

    async def disable(self, repository: Identity, file: str, state: str) -> None:
        self._home(repository).states[file] = state

    async def tag(self, repository: Identity, name: str, sha: str) -> None:
        self._home(repository).tags[name] = sha

    async def leave_artifact(self, repository: Identity, run: int, name: str, *, has_expired: bool) -> None:
        left = self._home(repository).artifacts.setdefault(run, [])
        left.append(Artifact(len(left) + 1, name, 100, has_expired))

    async def let_scan(self, repository: Identity, *, on: bool) -> None:
        self._home(repository).has_code_scanning = on

    async def scans(self, repository: Identity) -> list[str]:
        return [commit for commit, _, _ in self._home(repository).uploads]

    async def protect(self, repository: Identity, name: str, asked: EnvironmentProtection) -> None:
        self._home(repository).environments[name.lower()] = asked

    async def reject_scans(self, repository: Identity) -> None:
        self._home(repository).taken_in = TakenIn(errors=("rejecting SARIF",))

    def _home(self, repository: Identity) -> FakeRepository:
        return next(home for home in self.forge.homes if home.node_id == repository.node_id)


@dataclass(slots=True)
class GitHubStand:
    forge: Forge
    world: World
    names: dict[str, str] = field(default_factory=dict)
    """What each repository is called now, by node id."""

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
        github, name = self.world.github, self._name(repository)
        if branch not in await github.branches(name):
            await github.branch(name, branch)
        return await github.push(name, {path: content.decode() for path, content in files.items()}, branch=branch)

    async def content(self, repository: Identity, branch: str, path: str) -> bytes:
        return (await self.world.github.read(self._name(repository), path, branch)).encode()

    async def branches(self, repository: Identity) -> Mapping[str, str]:
        return await self.world.github.branches(self._name(repository))

    async def merge(self, repository: Identity, number: int) -> None:
        await self.world.github.merge(self._name(repository), number)

    async def close(self, repository: Identity, number: int) -> None:
        await self.world.github.close(self._name(repository), number)

    async def rename(self, repository: Identity) -> str:
        name = self._name(repository)
        new = f"{name.partition('/')[2]}-renamed"
        await self.world.github.ask("PATCH", f"/repos/{name}", {"name": new})
        assert repository.node_id is not None
        self.names[repository.node_id] = f"contoso/{new}"
        return f"contoso/{new}"

    async def archive(self, repository: Identity) -> None:
        await self.world.github.ask("PATCH", f"/repos/{self._name(repository)}", {"archived": True})

    async def finish_run(self, repository: Identity, run: int, conclusion: str) -> None:
        self.world.github.finish_run(run, conclusion)

    async def require_check(self, repository: Identity) -> None:
        self.world.github.protect(self._name(repository), checks=("build",))
        self.world.github.edge.overlays[self._name(repository)]["allow_auto_merge"] = True

    async def pass_check(self, repository: Identity, sha: str) -> None:
        self.world.github.report_check(self._name(repository), sha, "build", "success")

    async def finish_build(self, repository: Identity, conclusion: str) -> None:
        [*_, run] = self.world.github.runs(self._name(repository))
        self.world.github.finish_run(run.id, conclusion)

    async def ran(self, repository: Identity, file: str, event: str, at: datetime, conclusion: str) -> None:
        path = f".github/workflows/{file}"
        await self.world.github.record_run(self._name(repository), path, event, at, conclusion)

    async def disable(self, repository: Identity, file: str, state: str) -> None:
        self.world.github.disable_workflow(self._name(repository), f".github/workflows/{file}", state)

    async def tag(self, repository: Identity, name: str, sha: str) -> None:
        made = {"ref": f"refs/tags/{name}", "sha": sha}
        await self.world.github.ask("POST", f"/repos/{self._name(repository)}/git/refs", made)

    async def leave_artifact(self, repository: Identity, run: int, name: str, *, has_expired: bool) -> None:
        self.world.github.artifacts.leave(run, name, {"report.json": b"{}"}).has_expired = has_expired

    async def let_scan(self, repository: Identity, *, on: bool) -> None:
        enabled = self.world.github.code_scanning.enabled
        (enabled.add if on else enabled.discard)(self._name(repository))

    async def scans(self, repository: Identity) -> list[str]:
        uploads = self.world.github.code_scanning.uploads[self._name(repository)]
        return [commit for commit, _, _ in uploads]

    async def protect(self, repository: Identity, name: str, asked: EnvironmentProtection) -> None:
        reviewers, apps = ("ada",) if asked.has_reviewers else (), ("gate",) if asked.has_own_rules else ()
        rules = self.world.github.environments.rules.setdefault(self._name(repository), {})
        rules[name] = (asked.waits, reviewers, apps)

    async def reject_scans(self, repository: Identity) -> None:
        self.world.github.code_scanning.processing[self._name(repository)] = "failed"

    def _name(self, repository: Identity) -> str:
        assert repository.node_id is not None
        return self.names[repository.node_id]
