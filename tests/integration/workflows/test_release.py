"""A release, step by step as its workflow has it, up to where something would be published.

The tree is a copy with a version that nobody has released; `gh` is played by a program that keeps one release and
some tags.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.workflows.written import ROOT, run_steps, workflows

pytestmark = pytest.mark.long

VERSION = "9.8.7"
TAG = f"v{VERSION}"
TREE = ("bot", "CHANGELOG.md", "LICENSE", "README.md", "hatch_build.py", "pyproject.toml", "tools/release.py")
TRIED_BELOW = {
    ("release.yml", "Install what builds"),
    ("release.yml", "Write the notes"),
    ("release.yml", "Build the sdist, and the wheel from it"),
    ("release.yml", "Install it without a compiler"),
    ("release.yml", "Try what runs on a checkout"),
    ("release.yml", "Draft it with its files"),
    ("release.yml", "Publish the draft"),
    ("release.yml", "Move it, never backwards"),
    ("image.yml", "Start the build of its image"),
}
GH = """\
#!{python}
import json, pathlib, sys
words, file = sys.argv[1:], pathlib.Path({state!r})
state = json.loads(file.read_text())
state["asked"].append(words)
value = lambda name: words[words.index(name) + 1]
code, release = 0, state["release"]
match words:
    case ["release", "view", tag]:
        code = 0 if release and release["tag"] == tag else 1
    case ["release", "create", tag, *_]:
        assert "--draft" in words and "--verify-tag" in words and not release
        state["release"] = {{"tag": tag, "draft": True, "files": [], "notes": open(value("--notes-file")).read()}}
    case ["release", "upload", tag, "--clobber", *files]:
        assert release["tag"] == tag and release["draft"], "a published release is immutable"
        release["files"] = sorted({{*release["files"], *files}})
    case ["release", "edit", tag, "--draft=false"]:
        assert release["tag"] == tag
        release["draft"] = False
    case ["release", "list", *_]:
        print(release["tag"] if release and not release["draft"] else "", end="")
    case ["workflow", "run", name, "--ref", tag]:
        state["started"].append([name, tag])
    case ["api", "--paginate", path, "--jq", ".[].ref"]:
        begin = "refs/tags/" + path.rpartition("/")[2]
        print("\\n".join(ref for ref in sorted(state["refs"]) if ref.startswith(begin)))
    case ["api", "--method", "PATCH", path, *_]:
        ref = path.partition("/git/")[2]
        code = 0 if ref in state["refs"] else 1
        if code == 0:
            state["refs"][ref] = value("-f").removeprefix("sha=")
    case ["api", "--method", "POST", path, "-f", ref, "-f", sha]:
        state["refs"][ref.removeprefix("ref=")] = sha.removeprefix("sha=")
    case _:
        raise SystemExit(f"gh does not know {{words}}")
file.write_text(json.dumps(state))
sys.exit(code)
"""


@dataclass(frozen=True, slots=True)
class Job:
    """A machine with a checkout of the tag."""

    folder: Path
    path: str

    def run(self, name: str, file: str = "release.yml", **known: str) -> subprocess.CompletedProcess[str]:
        step = run_steps()[file, name]
        environment = {
            **{name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ},
            **{name: known[name] for name in step.environment},
            "PATH": self.path,
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        command = ["bash", "-e", "-o", "pipefail", "-c", step.script]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    def passes(self, name: str, file: str = "release.yml", **known: str) -> str:
        ended = self.run(name, file, **known)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout


def checkout(folder: Path) -> Job:
    """A copy of the tree, whose changes since the last release are those of this version."""
    for name in (*TREE, "tools/try_program.py", "deploy/build-requirements.txt"):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, place)
    project = folder / "pyproject.toml"
    project.write_text(re.sub(r'(?m)^version = ".*"$', f'version = "{VERSION}"', project.read_text(), count=1))
    changes = folder / "CHANGELOG.md"
    section = f"## {VERSION}\n\nSee [upgrade](docs/operate/upgrade.md).\n\n## "
    changes.write_text(changes.read_text().replace("## ", section, 1))
    return Job(folder, f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """After the job `package`."""
    job = checkout(tmp_path_factory.mktemp("checkout"))
    job.passes("Install what builds")
    job.passes("Write the notes", TAG=TAG)
    job.passes("Build the sdist, and the wheel from it")
    return job


def test_each_command_is_run_here() -> None:
    assert {key for key in run_steps() if key[0] in ("release.yml", "image.yml")} == TRIED_BELOW


def test_the_version_and_its_notes_come_from_the_tree(built: Job) -> None:
    assert (built.folder / "output").read_text() == f"version={VERSION}\nseries=9.8\n"
    source = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Source"]
    link = f"{source}/blob/{TAG}/docs/operate/upgrade.md"
    assert (built.folder / "notes.md").read_text() == f"See [upgrade]({link}).\n"


@pytest.mark.parametrize(
    ("tag", "said"),
    [("v1.2.3", "the tag is v1.2.3, and pyproject.toml has version 9.8.7"), ("main", "the tag is main")],
)
def test_another_tag_than_the_versions_ends_it(tmp_path: Path, tag: str, said: str) -> None:
    ended = checkout(tmp_path).run("Write the notes", TAG=tag)
    assert ended.returncode == 1
    assert said in ended.stderr


def test_a_version_of_which_the_changelog_says_nothing_ends_it(tmp_path: Path) -> None:
    job = checkout(tmp_path)
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## {VERSION}\n\n## 0.1.0\n\nThe first.\n")
    ended = job.run("Write the notes", TAG=TAG)
    assert ended.returncode == 1
    assert f"CHANGELOG.md has nothing under ## {VERSION}" in ended.stderr


def test_wheel_and_sdist_hold_the_program_and_no_more(built: Job) -> None:
    wheel, sdist = sorted((built.folder / "dist").iterdir(), key=lambda path: path.suffix, reverse=True)
    assert (wheel.name, sdist.name) == (
        f"freshness_bot-{VERSION}-py3-none-any.whl",
        f"freshness_bot-{VERSION}.tar.gz",
    )
    with tarfile.open(sdist) as archive:
        top = {name.split("/")[1] for name in archive.getnames()}
    assert top - {".gitignore"} == {each for each in TREE if "/" not in each} | {"PKG-INFO"}


def test_the_wheel_installs_and_runs_away_from_the_tree(built: Job, tmp_path: Path) -> None:
    """Its dependencies are those of this environment: what pip would fetch is tried on the runners."""
    venv.create(tmp_path, with_pip=False)
    [packages] = (tmp_path / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    job = Job(built.folder, f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    job.passes("Install it without a compiler")
    assert (packages / "bot" / "cli" / "main.py").exists()
    assert job.passes("Try what runs on a checkout").startswith(f"freshness-bot {VERSION} on ")


@dataclass(frozen=True, slots=True)
class GitHub:
    """What `gh` has been told, and what it keeps."""

    file: Path

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.file.read_text())
        return state

    def has(self, **more: object) -> None:
        self.file.write_text(json.dumps({**self.state(), **more}))


@pytest.fixture
def github(tmp_path: Path) -> GitHub:
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"release": None, "refs": {}, "asked": [], "started": []}))
    gh = tmp_path / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text(GH.format(python=sys.executable, state=str(state)))
    gh.chmod(0o755)
    return GitHub(state)


@pytest.fixture
def job(github: GitHub, tmp_path: Path) -> Job:
    """A machine with the files of earlier jobs, and no checkout."""
    (tmp_path / "dist").mkdir()
    for name in ("bot.whl", "bot.tar.gz"):
        (tmp_path / "dist" / name).touch()
    (tmp_path / "notes.md").write_text("What is new.\n")
    return Job(tmp_path, f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")


OF_GITHUB = {"GH_TOKEN": "a token", "GH_REPO": "contoso/bot", "TAG": TAG}
OF_IMAGE = {"IMAGE": "ghcr.io/contoso/bot", "DIGEST": f"sha256:{'1' * 64}"}
FILES = ["dist/bot.tar.gz", "dist/bot.whl"]


def test_the_release_is_drafted_with_its_files_and_then_published(job: Job, github: GitHub) -> None:
    job.passes("Draft it with its files", **OF_GITHUB, **OF_IMAGE)
    drafted = github.state()["release"]
    assert (drafted["draft"], drafted["files"]) == (True, FILES)
    assert drafted["notes"] == f"What is new.\n\nImage: `ghcr.io/contoso/bot@sha256:{'1' * 64}`\n"
    job.passes("Publish the draft", **OF_GITHUB)
    assert github.state()["release"] == {**drafted, "draft": False}


def test_a_draft_of_a_run_that_broke_off_is_taken_up(job: Job, github: GitHub) -> None:
    github.has(release={"tag": TAG, "draft": True, "files": FILES[:1], "notes": ""})
    job.passes("Draft it with its files", **OF_GITHUB, **OF_IMAGE)
    assert github.state()["release"]["files"] == FILES


def moved(job: Job, github: GitHub, refs: Mapping[str, str]) -> dict[str, str]:
    github.has(refs=refs)
    job.passes("Move it, never backwards", **OF_GITHUB, COMMIT="new", REPOSITORY="contoso/bot")
    state: dict[str, str] = github.state()["refs"]
    return state


@pytest.mark.parametrize("before", [{}, {"refs/tags/v9": "old"}])
def test_the_tag_of_the_major_version_moves_to_the_newest(job: Job, github: GitHub, before: dict[str, str]) -> None:
    refs = {"refs/tags/v9.8.6": "old", "refs/tags/v9.8.7": "new", "refs/tags/v10.0.0": "other"}
    assert moved(job, github, refs | before) == {**refs, "refs/tags/v9": "new"}


def test_a_patch_of_an_older_series_moves_it_not_back(job: Job, github: GitHub) -> None:
    refs = {"refs/tags/v9.8.7": "new", "refs/tags/v9.10.0": "newer", "refs/tags/v9": "newer"}
    assert moved(job, github, refs) == refs


def test_each_week_the_image_of_the_newest_release_is_built_anew(job: Job, github: GitHub) -> None:
    known = {"GH_TOKEN": "a token", "GH_REPO": "contoso/bot"}
    job.passes("Start the build of its image", "image.yml", **known)
    assert github.state()["started"] == [], "there is none"
    github.has(release={"tag": TAG, "draft": False})
    job.passes("Start the build of its image", "image.yml", **known)
    assert github.state()["started"] == [["release.yml", TAG]]


class TestTheOrder:
    @pytest.fixture
    def jobs(self) -> dict[str, Any]:
        jobs: dict[str, Any] = workflows()["release.yml"]["jobs"]
        return jobs

    def after(self, jobs: Mapping[str, Any], name: str) -> set[str]:
        """The jobs that have gone well before this one begins."""
        needs = jobs[name].get("needs", [])
        direct = {needs} if isinstance(needs, str) else set(needs)
        return direct.union(*(self.after(jobs, each) for each in direct))

    def test_nothing_is_public_before_all_was_tried(self, jobs: dict[str, Any]) -> None:
        for name in ("attest", "image", "draft", "publish", "release", "move"):
            assert {"test", "package", "try"} <= self.after(jobs, name)

    def test_what_cannot_be_taken_back_comes_last(self, jobs: dict[str, Any]) -> None:
        assert {"attest", "image"} <= self.after(jobs, "draft")
        assert "draft" in self.after(jobs, "publish")
        assert "publish" in self.after(jobs, "release")
        assert "release" in self.after(jobs, "move")

    def test_a_run_that_was_started_builds_the_image_and_publishes_nothing_else(self, jobs: dict[str, Any]) -> None:
        """A job that needs one which was left out is left out too, unless its own condition says otherwise."""
        assert jobs["test"]["if"] == jobs["try"]["if"] == "${{ github.event_name == 'push' }}"
        always = {name for name, job in jobs.items() if "cancelled()" in job.get("if", "")}
        assert always == {"image"}
        assert all("attest" in self.after(jobs, name) for name in ("draft", "publish", "release", "move"))
        assert "test" in jobs["attest"]["needs"]

    def test_each_job_has_the_rights_that_it_needs(self, jobs: dict[str, Any]) -> None:
        may_write = {
            name: {right for right, level in job["permissions"].items() if level == "write"}
            for name, job in jobs.items()
        }
        assert may_write == {
            "test": set(),
            "package": set(),
            "try": set(),
            "attest": {"id-token", "attestations"},
            "image": {"packages", "id-token", "attestations", "security-events"},
            "draft": {"contents"},
            "publish": {"id-token"},
            "release": {"contents"},
            "move": {"contents"},
        }
        assert jobs["publish"]["environment"] == "pypi"
        assert [name for name, job in jobs.items() if "environment" in job] == ["publish"]

    def test_an_image_gets_its_tags_after_scan_and_signature(self) -> None:
        jobs = workflows()["weekly-rebuild.yml"]["jobs"]
        assert {"build", "scan", "sign", "verify"} <= self.after(jobs, "tag")
        [build] = workflows()["build.yml"]["jobs"].values()
        [pushed] = [step["with"] for step in build["steps"] if "build-push-action" in step.get("uses", "")]
        assert "push-by-digest=true" in pushed["outputs"]
        assert not {"tags", "push"} & pushed.keys()
