"""Killed at every write of the happy path and started again, the bot ends in the same state.

A small fleet of one pinned and one floating repository goes from a patch to its end: pull request, run, merge and
build; in waves, through a step, merged without a person; and through a failure that is told in an issue.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sandbox.fleets.bare_repository import bare_files
from sandbox.fleets.fleet import SampleFleet
from sandbox.world import World
from tests.e2e.kill_points import (
    SHARES,
    Point,
    is_commit,
    is_request,
    one_share,
    sampled,
    spread,
    told_apart,
)
from tests.e2e.killed_walks import (
    Act,
    Pass,
    Scenario,
    TwoRepositories,
    check,
    finishing,
    in_sqlite,
    patching,
)
from tests.e2e.outcome import Outcome

PINNED, FLOATING = "payments-api", "catalog-web"
MOST_OF_THE_GATE = 12
DEPLOY = (
    "on: {workflow_dispatch: {inputs: {correlation: {required: true}}}}\njobs: {deploy: {runs-on: ubuntu-latest}}\n"
)


async def merge(world: World, _: SampleFleet) -> None:
    for request in await world.github.pull_requests(PINNED):
        await world.github.merge(PINNED, request["number"])


async def finish_all(world: World, _: SampleFleet) -> None:
    for run in world.github.runs():
        world.github.finish_run(run.id)


@dataclass(frozen=True)
class Patches(Scenario):
    """Of several patches only the last is subject to the kill: it meets what those before it have left open."""

    patches: int = 1
    settings: Mapping[str, object] = field(default_factory=dict)
    least: int = 40

    @property
    def counted(self) -> int | None:  # type: ignore[override]
        """The second pass, which follows what the first began to its end, is the same on every path."""
        return None if self.patches == 1 else 1

    def way(self) -> Iterator[Act | Pass]:
        for number in range(1, self.patches + 1):
            yield patching(number)
            yield Pass.MAY_BE_KILLED if number == self.patches else Pass.WHOLE
        yield merge
        yield finish_all
        yield Pass.MAY_BE_KILLED

    def check(self, outcome: Outcome) -> None:
        """One pull request however many patches, and the build of its merge; a run and a message for each."""
        assert len(outcome.pull_requests) == 1
        runs = [(repository, conclusion) for repository, _, conclusion in outcome.runs]
        assert runs == [*[("contoso/catalog-web", "success")] * self.patches, ("contoso/payments-api", "success")]
        assert len(outcome.messages) == self.patches
        states = [state for _, state in outcome.rebuilds]
        assert (states.count("succeeded"), states.count("superseded")) == (2, 2 * (self.patches - 1))


async def deploy_and_protect(world: World, _: SampleFleet) -> None:
    await world.github.push(FLOATING, {".github/workflows/deploy.yml": DEPLOY})
    world.github.protect(PINNED, checks=("build",))
    world.github.edge.overlays[f"contoso/{PINNED}"]["allow_auto_merge"] = True


async def turn_green(world: World, _: SampleFleet) -> None:
    for request in await world.github.pull_requests(PINNED):
        world.github.report_check(PINNED, request["head"]["sha"], "build", "success")


@dataclass(frozen=True)
class ToProduction(Scenario):
    """A canary goes first, and on to its step; the other's pull request merges by itself in the second wave."""

    counted: int | None = None
    least: int = 60
    settings: Mapping[str, object] = field(
        default_factory=lambda: {
            "policy": [
                {
                    "match": {"repositories": [f"contoso/{FLOATING}"]},
                    "wave": "canary",
                    "settle": "0s",
                    "steps": [{"name": "production", "workflow": "deploy.yml"}],
                },
                {"settle": "0s", "auto_merge": {"method": "squash"}},
            ],
            "rollout": {"waves": [{"name": "canary"}, {"name": "rest"}]},
        }
    )

    def way(self) -> Iterator[Act | Pass]:
        yield deploy_and_protect
        yield Pass.WHOLE
        yield patching(1)
        yield Pass.MAY_BE_KILLED
        for _ in ("the rebuild", "the step"):
            yield finishing(FLOATING)
            yield Pass.MAY_BE_KILLED
        yield Pass.MAY_BE_KILLED
        yield turn_green
        yield Pass.MAY_BE_KILLED
        yield finishing(PINNED)
        yield Pass.MAY_BE_KILLED

    def check(self, outcome: Outcome) -> None:
        assert [(state, is_merged) for _, state, _, is_merged in outcome.pull_requests] == [("closed", True)]
        assert [path.rpartition("/")[2] for _, path, _ in outcome.runs] == [
            "weekly-rebuild.yml",
            "deploy.yml",
            "build.yml",
        ]
        assert sorted(outcome.rebuilds) == [
            ("contoso/catalog-web", "succeeded"),
            ("contoso/payments-api", "succeeded"),
        ]


@dataclass(frozen=True)
class ToldInTheIssue(Scenario):
    """A build fails, which the repository's issue says, and succeeds with the next patch, which closes that."""

    settings: Mapping[str, object] = field(default_factory=dict)
    counted: int | None = None
    least: int = 60

    def way(self) -> Iterator[Act | Pass]:
        for number, conclusion in ((1, "failure"), (2, "success")):
            yield patching(number)
            yield Pass.WHOLE
            yield finishing(FLOATING, conclusion)
            yield Pass.MAY_BE_KILLED
            yield Pass.MAY_BE_KILLED

    def check(self, outcome: Outcome) -> None:
        assert [state for _, state in outcome.issues] == ["closed"]
        assert [conclusion for _, _, conclusion in outcome.runs] == ["failure", "success"]


@dataclass(frozen=True)
class HeldByAReport(Scenario):
    """A workflow leaves behind what its scanner found in the image, and the gate holds the rebuild back for it."""

    settings: Mapping[str, object] = field(
        default_factory=lambda: {
            "gate": {"rules": [{"match": [f"*/{FLOATING}"], "counts": "all", "report": "enough"}]},
            "reports": {"artifacts": ["trivy"]},
        }
    )
    counted: int | None = None
    least: int = 40

    def way(self) -> Iterator[Act | Pass]:
        yield patching(1)
        yield Pass.MAY_BE_KILLED
        yield finishing(FLOATING)
        yield leave_report
        for _ in ("it is read", "it is judged"):
            yield Pass.MAY_BE_KILLED

    def check(self, outcome: Outcome) -> None:
        assert ("contoso/catalog-web", "failed") in outcome.rebuilds
        assert [repository for repository, _, _ in outcome.runs] == ["contoso/catalog-web"]


async def leave_report(world: World, fleet: SampleFleet) -> None:
    [run] = world.github.runs(FLOATING)
    digest = fleet.digests[f"{world.github.name}/{FLOATING}:latest"]
    world.github.artifacts.leave(run.id, "trivy", {"report.json": _report(digest)})


def _report(digest: str) -> bytes:
    found = {"VulnerabilityID": "CVE-2026-7", "PkgName": "app", "InstalledVersion": "1", "FixedVersion": "2"}
    results = [{"Target": "app", "Class": "lang-pkgs", "Vulnerabilities": [found | {"Severity": "CRITICAL"}]}]
    named = {"RepoDigests": [f"registry.example/contoso/{FLOATING}@{digest}"]}
    return json.dumps({"SchemaVersion": 2, "Results": results, "Metadata": named}).encode()


def is_of_the_gate(points: Sequence[Point]) -> Sequence[Point]:
    """The commits of what is read for the gate, and of what it says."""
    tables = ("artifact_reads", "scan_reports", "gates", "let_through")
    return told_apart([point for point in points if any(table in point.name for table in tables)])[
        :MOST_OF_THE_GATE
    ]


class NotOnboarded(TwoRepositories):
    """Nothing stands in them yet that the audit asks for."""

    def repositories(self, version: str) -> Any:
        return {name: {"Dockerfile": "FROM scratch\n"} for name in (PINNED, FLOATING)}


async def push_bare_files(world: World, _: SampleFleet) -> None:
    await world.github.push(PINNED, {path: text.decode() for path, text in bare_files().items()})


async def merge_the_one(world: World, _: SampleFleet) -> None:
    (request,) = await world.github.pull_requests(PINNED)
    await world.github.merge(PINNED, request["number"])


@dataclass(frozen=True)
class Onboarded(Scenario):
    """A repository gets files in which much fails, and a pull request that mends it, which is merged."""

    settings: Mapping[str, object] = field(
        default_factory=lambda: {"onboarding": {"repositories": [f"contoso/{PINNED}"]}}
    )
    counted: int | None = 1
    least: int = 10

    def fleet(self, world: World) -> SampleFleet:
        return NotOnboarded(world)

    def way(self) -> Iterator[Act | Pass]:
        yield push_bare_files
        yield Pass.MAY_BE_KILLED
        yield merge_the_one
        yield Pass.WHOLE

    def check(self, outcome: Outcome) -> None:
        assert [(state, is_merged) for _, state, _, is_merged in outcome.pull_requests] == [("closed", True)]
        assert outcome.branches == ("freshness/onboarding", "main")


@pytest.mark.kill
@pytest.mark.long
def test_what_the_gate_holds_back_is_held_back_wherever_its_writes_were_killed(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    check(HeldByAReport(), tmp_path, in_sqlite(tmp_path), subtests, is_of_the_gate)


def some_requests(points: Sequence[Point]) -> Sequence[Point]:
    return spread(4)([point for point in points if is_request(point.name)])


@pytest.mark.kill
@pytest.mark.long
def test_a_repository_is_onboarded_by_one_pull_request_wherever_that_was_killed(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    check(Onboarded(), tmp_path, in_sqlite(tmp_path), subtests, some_requests)


@pytest.mark.long
@pytest.mark.kill
def test_the_end_is_the_same_after_a_kill_at_what_creates_something(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    check(Patches(), tmp_path, in_sqlite(tmp_path), subtests, sampled)


@pytest.mark.kill
@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_on_sqlite_the_end_is_the_same_wherever_it_was_killed(
    tmp_path: Path, subtests: pytest.Subtests, share: int
) -> None:
    check(Patches(), tmp_path, in_sqlite(tmp_path), subtests, one_share(share))


@pytest.mark.kill
@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_the_end_is_the_same_wherever_the_update_of_an_open_pull_request_was_killed(
    tmp_path: Path, subtests: pytest.Subtests, share: int
) -> None:
    check(Patches(2), tmp_path, in_sqlite(tmp_path), subtests, one_share(share))


@pytest.mark.kill
@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_the_end_is_the_same_wherever_it_was_killed_on_the_way_through_waves_steps_and_auto_merge(
    tmp_path: Path, subtests: pytest.Subtests, share: int
) -> None:
    check(
        ToProduction(),
        tmp_path,
        in_sqlite(tmp_path),
        subtests,
        one_share(share, is_request),
    )


@pytest.mark.kill
@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_a_repository_has_one_issue_wherever_the_telling_was_killed(
    tmp_path: Path, subtests: pytest.Subtests, share: int
) -> None:
    check(
        ToldInTheIssue(),
        tmp_path,
        in_sqlite(tmp_path),
        subtests,
        one_share(share, is_request),
    )


@pytest.mark.kill
@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_on_postgresql_the_end_is_the_same_whichever_commit_it_was_killed_at(
    tmp_path: Path,
    postgres_databases: Callable[[str | None], str],
    postgres_template: str,
    subtests: pytest.Subtests,
    share: int,
) -> None:
    check(
        Patches(),
        tmp_path,
        lambda _, source: postgres_databases(source or postgres_template),
        subtests,
        one_share(share, is_commit),
    )
