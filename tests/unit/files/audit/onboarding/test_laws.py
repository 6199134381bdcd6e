"""What holds of every proposal, whatever the texts are."""

from collections.abc import Mapping
from difflib import SequenceMatcher

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.builder.actions import ActionCommit, ActionTag
from bot.domain.repositories.finding import Finding, Outcome, with_fingerprints
from bot.domain.repositories.onboarding import SAFE_CHECKS, Proposal
from bot.files.audit.auditing import audit
from bot.files.audit.onboarding.proposing import WantedProposal, propose
from bot.files.audit.rules import BY_CHECK
from bot.files.formats.source.nodes import Mapping as Node_Mapping
from bot.files.formats.source.nodes import Node, Scalar
from bot.files.formats.source.yaml import read
from sandbox.fleets.bare_repository import BUILD, bare_files
from tests.unit.files.audit.world import NOW

COMMITS = {
    ActionTag("docker/login-action", "v3"): ActionCommit("a" * 40, "v3.6.0"),
    ActionTag("docker/setup-buildx-action", "v3"): ActionCommit("d" * 40, "v3.11.1"),
    ActionTag("docker/build-push-action", "v6"): ActionCommit("b" * 40, "v6.18.0"),
    ActionTag("aquasecurity/trivy-action", "0.33.1"): ActionCommit("c" * 40, "0.33.1"),
}
_PIECES = (
    *("FROM mcr.microsoft.com/dotnet/sdk:9.0.101 AS build\n", "# a comment\n", "\n"),
    *("          securityContext: {runAsUser: 1}\n", "          securityContext:\n            runAsUser: 1\n"),
    *("  workflow_dispatch:\n", "  schedule: [{cron: '1 1 * * 1'}]\n", "  release:\n", "          sbom: false\n"),
    *(
        "on: {push: {branches: [main]}}\n",
        "        with: {push: true, tags: 'c/a'}  # x\n",
        "with: {a: b,\n  c: d}\n",
    ),
    *("          exit-code: '0'\n", "          format: sarif\n", "        if: always()\n", "on: push\n"),
    *("&a ", "*a", "{{- x }}", "\t", "\r\n", "{", "- ", "${{ x }}", "Code generated. DO NOT EDIT.\n", "é"),
)


def proposed(files: Mapping[str, bytes], checks: tuple[str, ...] = SAFE_CHECKS) -> Proposal:
    return propose(files, "contoso/shop", (), WantedProposal(checks, COMMITS), NOW)


def failing(files: Mapping[str, bytes]) -> dict[str, Finding]:
    found = with_fingerprints(audit(files, NOW, name="contoso/shop"))
    return {name: each for each, name in found if each.outcome is Outcome.FAILS}


@st.composite
def repositories(draw: st.DrawFn) -> dict[str, bytes]:
    """The bare repository with lines put in, taken out or doubled."""
    files = bare_files()
    for _ in range(draw(st.integers(0, 4))):
        path = draw(st.sampled_from(sorted(files)))
        lines = files[path].decode().splitlines(keepends=True)
        at = draw(st.integers(0, len(lines)))
        until = draw(st.integers(at, min(len(lines), at + 2)))
        piece = draw(st.sampled_from([*_PIECES, "".join(lines[at:until]) * 2]))
        files[path] = ("".join(lines[:at]) + piece + "".join(lines[until:])).encode()
    return files


@given(repositories())
def test_a_commit_makes_places_of_its_check_hold_and_fails_nothing_anew(files: dict[str, bytes]) -> None:
    before = dict(files)
    for commit in proposed(files).commits:
        after = {**before, **commit.files}
        had, has = failing(before), failing(after)
        own = [sum(each.check == commit.check for each in some.values()) for some in (had, has)]
        assert own[0] - own[1] >= len(commit.mended) >= 1
        assert {(each.check, each.place.path) for each in has.values()} <= {
            (each.check, each.place.path) for each in had.values()
        }
        before = after


def doubled() -> dict[str, bytes]:
    """The bare repository with a key that is written twice, of which the last counts."""
    twice = b"          securityContext: {runAsUser: 1}\n" * 2
    image = b"          image: "
    return {path: text.replace(image, twice + image, 1) for path, text in bare_files().items()}


@given(repositories())
@example(doubled())
def test_a_commit_keeps_every_other_line(files: dict[str, bytes]) -> None:
    """Lines go only where their own value is replaced, and each is still there with another one."""
    proposal = proposed(files)
    for path, text in proposal.files.items():
        old, new = files.get(path, b"").splitlines(keepends=True), text.splitlines(keepends=True)
        blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
        kept = {number for block in blocks for number in range(block.a, block.a + block.size)}
        gone = [line for number, line in enumerate(old) if number not in kept]
        heads = [line.split(b"@")[0].split(b":")[0] for line in gone]
        assert all(any(line.startswith(head) for line in new) for head in heads)
        assert all(new.count(line) < old.count(line) for line in gone)


@given(repositories())
def test_texts_can_be_read_and_mean_the_same_but_for_what_is_said(files: dict[str, bytes]) -> None:
    for path, text in proposed(files).files.items():
        if path.endswith(".yml") and path in files:
            assert _holds(read(files[path].decode()), read(text.decode()))


def _holds(before: list[Node], after: list[Node]) -> bool:
    return len(before) == len(after) and all(map(_within, before, after))


def _within(before: Node, after: Node) -> bool:
    """Whether all keys and items are there still; values of one word may have changed, short forms become long."""
    if isinstance(after, Node_Mapping) and not isinstance(before, Node_Mapping):
        items = [before] if isinstance(before, Scalar) else before.items
        return {each.value for each in items if isinstance(each, Scalar)} <= after.own.keys()
    if isinstance(before, Scalar) or isinstance(after, Scalar):
        return isinstance(before, Scalar) and isinstance(after, Scalar)
    if isinstance(before, Node_Mapping) or isinstance(after, Node_Mapping):
        if not (isinstance(before, Node_Mapping) and isinstance(after, Node_Mapping)):
            return False
        return all(key in after.own and _within(value, after.own[key][1]) for key, (_, value) in before.own.items())
    return len(before.items) == len(after.items) and all(map(_within, before.items, after.items))


@given(repositories())
def test_what_is_proposed_once_is_not_proposed_again(files: dict[str, bytes]) -> None:
    first = proposed(files)
    if not first.more:
        assert proposed({**files, **first.files}).commits == ()


@given(repositories())
def test_each_failing_finding_is_mended_or_left_with_a_reason(files: dict[str, bytes]) -> None:
    proposal = proposed(files)
    mended = sum(len(commit.mended) for commit in proposal.commits)
    assert mended + len(proposal.left_to_people) + proposal.more >= len(failing(files))
    assert all(each.reason for each in proposal.left_to_people)


@given(repositories())
def test_another_order_of_files_gives_the_same_proposal(files: dict[str, bytes]) -> None:
    assert proposed(dict(reversed(files.items()))) == proposed(files)


@pytest.mark.parametrize("check", SAFE_CHECKS)
def test_each_safe_check_is_a_check(check: str) -> None:
    assert check in BY_CHECK


def test_an_action_that_stands_twice_is_pinned_twice() -> None:
    twice = bare_files()[BUILD].replace(
        b"jobs:",
        b"jobs:\n  other:\n    runs-on: x\n    steps:\n%s"
        % (b"      - uses: docker/login-action@v3\n      - uses: docker/login-action@v3\n"),
    )
    (commit,) = proposed({BUILD: twice}, ("actions-pinned",)).commits
    assert commit.files[BUILD].count(b"docker/login-action@" + b"a" * 40) == 3


def test_places_are_those_of_the_texts_that_the_proposal_is_made_from() -> None:
    files = bare_files()
    proposal = proposed(files)
    found = {finding.check: finding.place for finding in audit(files, NOW) if finding.outcome is Outcome.FAILS}
    told = {commit.check: commit.mended[-1].place for commit in proposal.commits if commit.check != "base-pinned"}
    assert {check: place.start for check, place in told.items()} == {check: found[check].start for check in told}
    left = {each.check: each.place.start for each in proposal.left_to_people}
    assert left == {check: found[check].start for check in left}
