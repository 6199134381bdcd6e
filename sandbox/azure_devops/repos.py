"""Azure Repos of one organisation, as far as the bot reads them."""

import io
import uuid
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.clock import Clock
from sandbox.azure_devops.asked import Question, Reply, missing, paged, refusal
from sandbox.azure_devops.git import NOTHING, TREE, Git

Json = Any
PEOPLE = "ada@contoso.example"
READ = "Read"
RIGHTS = {2: READ}
"""Of the security namespace Git Repositories."""
_HEADS = "refs/heads/"


@dataclass(slots=True)
class Home:
    """A repository of a project, under its GUID."""

    id: str
    name: str
    project: Mapping[str, str]
    git: Git = field(default_factory=Git)
    default_branch: str | None = None
    is_disabled: bool = False
    is_fork: bool = False


@dataclass(slots=True)
class Repos:
    """`homes` by their ids. One that is disabled is listed, and otherwise as if it were not there; so is one that
    may not be read, for all that is `lacking`. Of each push is told."""

    clock: Clock
    lacking: set[str] = field(default_factory=set)
    on_pushed: Callable[[Home, str, str], None] | None = None
    homes: dict[str, Home] = field(default_factory=dict)

    # --- what people do ---

    def create(self, name: str, project: Mapping[str, str]) -> Home:
        made = Home(str(uuid.uuid5(uuid.NAMESPACE_URL, f"{project['id']}/{name}")), name, project)
        self.homes[made.id] = made
        return made

    def push(
        self,
        home: Home,
        branch: str,
        files: Mapping[str, bytes | None],
        *,
        mode: str | None = None,
        message: str = "People's work",
    ) -> str:
        """One commit; the first branch of a repository is its default one, another begins at that."""
        git = home.git
        home.default_branch = home.default_branch or branch
        parent = git.branches.get(branch) or git.branches.get(home.default_branch)
        made = git.commit(parent, files, message, PEOPLE, self.clock.now(), mode=mode)
        git.branches[branch] = made.sha
        if self.on_pushed is not None:
            self.on_pushed(home, branch, made.sha)
        return made.sha

    # --- what is asked ---

    def answer(self, method: str, part: list[str], question: Question) -> Reply:
        """`part` is the path behind `_apis/git/`."""
        match method, part:
            case "GET", ["repositories"]:
                return Reply(200, {"count": len(self.homes), "value": [_row(each) for each in self.homes.values()]})
            case _, ["repositories", key, *rest]:
                home = self._find(key)
                if home is None or home.is_disabled or READ in self.lacking:
                    text = f"TF401019: The Git repository with name or identifier {key} does not exist"
                    return refusal(404, "GitRepositoryNotFoundException", f"{text} or you do not have permissions")
                return self._of_home(method, rest, home, question)
        return missing("no such route")

    def _find(self, key: str) -> Home | None:
        return self.homes.get(key) or next((each for each in self.homes.values() if each.name == key), None)

    def _of_home(self, method: str, part: list[str], home: Home, question: Question) -> Reply:
        match method, part:
            case "GET", []:
                return Reply(200, _row(home))
            case "GET", ["items"]:
                return _item(home, question.query)
            case "GET", ["trees", sha]:
                return _tree(home.git, sha, recursive=question.query.get("recursive") == "true")
            case "GET", ["blobs", sha]:
                return _file(home.git.contents.get(sha), sha)
            case "POST", ["blobs"]:
                return _archive(home.git, question.body)
            case "GET", ["refs"]:
                return _refs(home.git, question.query)
            case "GET", ["commits", sha, "mergebases"]:
                return _merge_bases(home.git, sha, question.query["otherCommitId"])
        return missing("no such route")


def _row(home: Home) -> dict[str, Json]:
    named = {"defaultBranch": _HEADS + home.default_branch} if home.default_branch else {}
    return {
        "id": home.id,
        "name": home.name,
        "project": dict(home.project),
        **named,
        "isDisabled": home.is_disabled,
        "isInMaintenance": False,
        "isFork": home.is_fork,
        "size": 1_000,
    }


def _item(home: Home, query: Mapping[str, str]) -> Reply:
    git, path, version = home.git, query["path"], query["versionDescriptor.version"]
    if not git.branches:
        text = f"VS403403: Cannot find any branches for the {home.name} repository."
        return refusal(404, "GitItemNotFoundException", text)
    is_branch = query.get("versionDescriptor.versionType") == "branch"
    commit = git.commits.get(git.branches.get(version, "") if is_branch else version)
    if commit is None:
        text = f"TF401175: The version descriptor <Branch: {version} > could not be resolved to a version"
        return refusal(404, "GitUnresolvableToCommitException", text)
    if path == "/":
        shown = {"objectId": commit.tree, "commitId": commit.sha, "gitObjectType": "tree"}
        return Reply(200, {**shown, "path": "/", "isFolder": True})
    place = commit.files.get(path.lstrip("/"))
    if place is None:
        return refusal(404, "GitItemNotFoundException", f"TF401174: The item '{path}' could not be found")
    if query.get("$format") == "octetStream":
        return _file(git.contents[place[1]], place[1])
    return Reply(200, {"objectId": place[1], "commitId": commit.sha, "gitObjectType": "blob", "path": path})


def _file(content: bytes | None, sha: str) -> Reply:
    if content is None:
        return missing(f"TF401035: The object '{sha}' does not exist.")
    return Reply(200, content, {"content-type": "application/octet-stream"})


def _tree(git: Git, sha: str, *, recursive: bool) -> Reply:
    if sha not in git.trees:
        return missing(f"TF401035: The object '{sha}' does not exist.")
    rows = [
        {
            "relativePath": path,
            "objectId": each,
            "mode": mode,
            "gitObjectType": "tree" if mode == TREE else "blob",
            "size": len(git.contents.get(each, b"")),
        }
        for path, mode, each in git.entries(sha, recursive=recursive)
    ]
    return Reply(200, {"objectId": sha, "size": len(rows), "treeEntries": rows})


def _archive(git: Git, shas: list[str]) -> Reply:
    """Entries are named by their contents; what is not there fails the whole."""
    gone = next((sha for sha in shas if sha not in git.contents), None)
    if gone is not None:
        return missing(f"TF401035: The object '{gone}' does not exist.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as files:
        for sha in dict.fromkeys(shas):
            files.writestr(sha, git.contents[sha])
    return Reply(200, buffer.getvalue(), {"content-type": "application/zip"})


def _refs(git: Git, query: Mapping[str, str]) -> Reply:
    """The filter finds all whose names begin so."""
    start = f"refs/{query.get('filter', '')}"
    rows = [
        {"name": _HEADS + name, "objectId": sha}
        for name, sha in sorted(git.branches.items())
        if (_HEADS + name).startswith(start)
    ]
    return paged(rows, query)


def _merge_bases(git: Git, sha: str, other: str) -> Reply:
    for each in (sha, other):
        if each not in git.commits:
            return refusal(404, "GitUnresolvableToCommitException", f"TF401175: {each} could not be resolved")
    others = set(git.history(other))
    base = next((each for each in git.history(sha) if each in others), NOTHING)
    return Reply(200, {"count": 1, "value": [] if base == NOTHING else [{"commitId": base}]})
