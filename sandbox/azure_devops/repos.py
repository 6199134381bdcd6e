"""Azure Repos of one organisation, as far as the bot reads them."""

import base64
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
READ, CONTRIBUTE, CREATE, FORCE, PULL_REQUESTS = (
    *("Read", "Contribute", "Create branch", "Force push"),
    "Contribute to pull requests",
)
RIGHTS = {2: READ, 4: CONTRIBUTE, 8: FORCE, 16: CREATE, 16384: PULL_REQUESTS}
"""Of the security namespace Git Repositories."""
_WORDS = {
    READ: "GenericRead",
    CONTRIBUTE: "GenericContribute",
    CREATE: "CreateBranch",
    FORCE: "ForcePush",
    PULL_REQUESTS: "PullRequestContribute",
}
BOT_MAIL = "freshness-bot@contoso.example"
BOT_ID, PERSON_ID = "8d3ae6c1-7c11-4c4a-8f3a-6c1d9d6d2b55", "1c7b4f0e-92ab-4d6a-9d3d-1f0a5b7f2a11"
HEADS = "refs/heads/"


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
    guarded: str | None = None
    """The branch that is changed through pull requests alone."""
    bots: set[str] = field(default_factory=set)
    """The branches that the bot has made: it may move these sideways, and delete them."""


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
        self.moved(home, branch, made.sha)
        return made.sha

    def moved(self, home: Home, branch: str, sha: str) -> None:
        """A branch points there from now on."""
        home.git.branches[branch] = sha
        if self.on_pushed is not None:
            self.on_pushed(home, branch, sha)

    # --- what is asked ---

    def answer(self, method: str, part: list[str], question: Question) -> Reply:
        """`part` is the path behind `_apis/git/`."""
        match method, part:
            case "GET", ["repositories"]:
                rows = [] if READ in self.lacking else [row_of(each) for each in self.homes.values()]
                return Reply(200, {"count": len(rows), "value": rows})
            case _, ["repositories", key, *rest]:
                home = self.shown(key)
                return home if isinstance(home, Reply) else self._of_home(method, rest, home, question)
        return missing("no such route")

    def shown(self, key: str) -> Home | Reply:
        """A repository by its name or id, or that there is none."""
        home = self.homes.get(key) or next((each for each in self.homes.values() if each.name == key), None)
        if home is None or home.is_disabled or READ in self.lacking:
            text = f"TF401019: The Git repository with name or identifier {key} does not exist"
            return refusal(404, "GitRepositoryNotFoundException", f"{text} or you do not have permissions")
        return home

    def _of_home(self, method: str, part: list[str], home: Home, question: Question) -> Reply:
        match method, part:
            case "GET", []:
                return Reply(200, row_of(home))
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
            case "POST", ["refs"]:
                rows = [self._update(home, each) for each in question.body]
                return Reply(200, {"count": len(rows), "value": rows})
            case "POST", ["pushes"]:
                return self._pushed(home, question.body)
            case "GET", ["commits", sha]:
                return _commit(home.git, sha)
            case "GET", ["commits", sha, "mergebases"]:
                return _merge_bases(home.git, sha, question.query["otherCommitId"])
        return missing("no such route")

    def _pushed(self, home: Home, body: Json) -> Reply:
        [update], [commit] = body["refUpdates"], body["commits"]
        branch, before, git = update["name"].removeprefix(HEADS), update["oldObjectId"], home.git
        if branch == home.guarded:
            text = "TF402455: Pushes to this branch are not permitted; you must use a pull request to update it."
            return refusal(403, "GitRefUpdateRejectedByPolicyException", text)
        is_new = branch not in git.branches
        for right in (CONTRIBUTE, *([CREATE] if is_new else [])):
            if right in self.lacking:
                return needs(right)
        if before not in git.commits or (not is_new and git.branches[branch] != before):
            text = f"TF401028: The reference '{update['name']}' has already been updated by another client"
            return refusal(409, "GitReferenceStaleException", text)
        changes: dict[str, bytes | None] = {}
        for change in commit["changes"]:
            path = change["item"]["path"].lstrip("/")
            if (path in git.commits[before].files) != (change["changeType"] == "edit"):
                return refusal(400, "InvalidArgumentValueException", f"{change['changeType']} of {path}")
            changes[path] = base64.b64decode(change["newContent"]["content"])
        made = git.commit(before, changes, commit["comment"], BOT_MAIL, self.clock.now())
        home.bots |= {branch} if is_new else set()
        self.moved(home, branch, made.sha)
        return Reply(201, {"pushId": 1, "commits": [{"commitId": made.sha, "comment": commit["comment"]}]})

    def _update(self, home: Home, update: Json) -> Json:
        status = self._update_status(home, update)
        return {**update, "success": status == "succeeded", "updateStatus": status}

    def _update_status(self, home: Home, update: Json) -> str:
        branch, before, after = update["name"].removeprefix(HEADS), update["oldObjectId"], update["newObjectId"]
        git, now = home.git, home.git.branches.get(branch, NOTHING)
        if now != before:
            return "staleOldObjectId"
        if branch == home.guarded:
            return "rejectedByPolicy"
        if CONTRIBUTE in self.lacking:
            return "writePermissionRequired"
        if now == NOTHING and CREATE in self.lacking:
            return "createBranchPermissionRequired"
        may_force = FORCE not in self.lacking or branch in home.bots
        if after == NOTHING:
            if not may_force:
                return "forcePushRequired"
            del git.branches[branch]
            return "succeeded"
        if after not in git.commits:
            return "unresolvableToCommit"
        if now != NOTHING and not git.is_at_or_before(now, after) and not may_force:
            return "forcePushRequired"
        home.bots |= {branch} if now == NOTHING else set()
        self.moved(home, branch, after)
        return "succeeded"


def needs(right: str) -> Reply:
    text = f"TF401027: You need the Git '{_WORDS[right]}' permission to perform this action."
    return refusal(403, "GitNeedsPermissionException", text)


def _commit(git: Git, sha: str) -> Reply:
    commit = git.commits.get(sha)
    if commit is None:
        return refusal(404, "GitUnresolvableToCommitException", f"TF401175: {sha} could not be resolved")
    pusher = BOT_ID if commit.author == BOT_MAIL else PERSON_ID
    shown = {"commitId": sha, "treeId": commit.tree, "comment": commit.message, "parents": list(commit.parents)}
    return Reply(200, {**shown, "push": {"pushId": 1, "pushedBy": {"id": pusher}}})


def row_of(home: Home) -> dict[str, Json]:
    named = {"defaultBranch": HEADS + home.default_branch} if home.default_branch else {}
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
        {"name": HEADS + name, "objectId": sha}
        for name, sha in sorted(git.branches.items())
        if (HEADS + name).startswith(start)
    ]
    return paged(rows, query)


def _merge_bases(git: Git, sha: str, other: str) -> Reply:
    for each in (sha, other):
        if each not in git.commits:
            return refusal(404, "GitUnresolvableToCommitException", f"TF401175: {each} could not be resolved")
    others = set(git.history(other))
    base = next((each for each in git.history(sha) if each in others), NOTHING)
    return Reply(200, {"count": 1, "value": [] if base == NOTHING else [{"commitId": base}]})
