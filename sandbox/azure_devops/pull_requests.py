"""Pull requests of Azure Repos with the policies of default branches, as far as the bot asks them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure_devops.asked import Question, Reply, missing, refusal
from sandbox.azure_devops.repos import CONTRIBUTE, HEADS, PULL_REQUESTS, Home, Repos, needs, row_of

Json = Any
BOT = {"id": "8d3ae6c1-7c11-4c4a-8f3a-6c1d9d6d2b55", "displayName": "Freshness Bot", "uniqueName": "freshness-bot"}
ADA = {"id": "1c7b4f0e-92ab-4d6a-9d3d-1f0a5b7f2a11", "displayName": "Ada", "uniqueName": "ada@contoso.example"}
BUILD_POLICY = "0609b952-1397-4640-95ec-e00a01b2c241"
LINKS_POLICY = "40e92b44-2fe1-4dd6-b3d8-74a9c21d0c6e"
NOBODY = "00000000-0000-0000-0000-000000000000"
MOST_UNITS = 4_000
CUT_AT = 400
_TAKEN = ("status", "title", "description", "completionOptions", "autoCompleteSetBy", "targetRefName")


@dataclass(slots=True)
class PullRequests:
    """`rows` by their numbers, which count in the whole organisation. `guarded` are repositories whose default
    branch asks for a build, `green` the commits whose build is; `linking` those that ask for a work item.
    `no_reviewers` are who is not taken as a reviewer, by their ids, with the status that says so. Of each that is
    completed is told."""

    repos: Repos
    rows: dict[int, dict[str, Json]] = field(default_factory=dict)
    guarded: set[str] = field(default_factory=set)
    green: set[str] = field(default_factory=set)
    linking: set[str] = field(default_factory=set)
    properties: dict[int, dict[str, str]] = field(default_factory=dict)
    no_reviewers: Mapping[str, int] = field(default_factory=dict)
    on_completed: Callable[[dict[str, Json]], None] | None = None

    # --- what people do ---

    def complete(self, number: int) -> str:
        """The merged commit on the branch that it goes to."""
        row = self.rows[number]
        home = self.repos.homes[row["repository"]["id"]]
        target, source = (_branch(row[key]) for key in ("targetRefName", "sourceRefName"))
        git = home.git
        tip, head = git.branches[target], git.branches[source]
        base = next(each for each in git.history(head) if git.is_at_or_before(each, tip))
        before, after = git.commits[base].files, git.commits[head].files
        changes = {path: git.contents[place[1]] for path, place in after.items() if before.get(path) != place}
        made = git.commit(
            tip,
            dict(changes),
            f"Merged PR {number}: {row['title']}",
            ADA["uniqueName"],
            self.repos.clock.now(),
            more_parents=(head,),
        )
        row |= {"status": "completed", "closedDate": self._now(), "lastMergeCommit": {"commitId": made.sha}}
        row["lastMergeSourceCommit"] = {"commitId": head}
        self.repos.moved(home, target, made.sha)
        if self.on_completed is not None:
            self.on_completed(row)
        return made.sha

    def open_by_hand(self, home: Home, branch: str) -> int:
        """A person opens a pull request from a branch into the default one; its number."""
        ends = {"sourceRefName": HEADS + branch, "targetRefName": f"{HEADS}{home.default_branch}"}
        opened = self._open(home, {**ends, "title": "By hand"})
        number: int = opened.content["pullRequestId"]
        self.rows[number]["createdBy"] = ADA
        return number

    def abandon(self, number: int) -> None:
        self.rows[number] |= {"status": "abandoned", "closedDate": self._now()}

    def reactivate(self, number: int) -> None:
        """As long as its branch is there."""
        row = self.rows[number]
        if _branch(row["sourceRefName"]) in self.repos.homes[row["repository"]["id"]].git.branches:
            row["status"] = "active"
            row.pop("closedDate", None)

    def guard(self, home: Home) -> None:
        """A build has to be green before anything comes into the default branch, which takes no pushes then."""
        self.guarded.add(home.id)
        home.guarded = home.default_branch

    def pass_build(self, sha: str) -> None:
        self.green.add(sha)
        for number, row in list(self.rows.items()):
            self._complete_by_itself(number, row)

    # --- what is asked ---

    def answer(self, method: str, part: list[str], question: Question) -> Reply | None:
        """`part` is the path behind `_apis/git/`; None for what is about no pull request."""
        match method, part:
            case "GET", ["pullrequests"]:
                return self._list(list(self.rows.values()), question.query)
            case "GET", ["pullrequests", number]:
                return self._one(int(number))
            case "GET", ["policy", "configurations"]:
                return self._policies(question.query["repositoryId"])
            case _, ["repositories", key, "pullrequests" | "pullRequests", *rest]:
                home = self.repos.shown(key)
                if isinstance(home, Reply):
                    return home
                return self._of_home(method, rest, home, question)
        return None

    def evaluations(self, query: Mapping[str, str]) -> Reply:
        row = self.rows.get(int(query["artifactId"].rpartition("/")[2]))
        if row is None:
            return Reply(200, {"count": 0, "value": []})
        head = self._seen(row)["lastMergeSourceCommit"]["commitId"]
        is_met = {BUILD_POLICY: head in self.green, LINKS_POLICY: bool(row["workItemRefs"])}
        value = [
            {"configuration": each, "status": "approved" if is_met[each["type"]["id"]] else "queued"}
            for each in self._asked_of(row["repository"]["id"])
        ]
        return Reply(200, {"count": len(value), "value": value})

    def _of_home(self, method: str, part: list[str], home: Home, question: Question) -> Reply:
        if method != "GET" and PULL_REQUESTS in self.repos.lacking:
            return needs(PULL_REQUESTS)
        match method, part:
            case "GET", []:
                rows = [row for row in self.rows.values() if row["repository"]["id"] == home.id]
                return self._list(rows, question.query)
            case "POST", []:
                return self._open(home, question.body)
            case "GET", [number]:
                return self._one(int(number))
            case "POST", [number, "reviewers"]:
                if statuses := [
                    self.no_reviewers[each["id"]] for each in question.body if each["id"] in self.no_reviewers
                ]:
                    return refusal(statuses[0], "IdentityNotFoundException", "The identity cannot review this.")
                reviewers = self.rows[int(number)].setdefault("reviewers", [])
                there = {each["id"] for each in reviewers}
                reviewers += [{"id": each["id"], "vote": 0} for each in question.body if each["id"] not in there]
                return Reply(200, {"count": len(reviewers), "value": reviewers})
            case "GET", [number, "workitems"]:
                items = [{"id": each["id"], "url": ""} for each in self.rows[int(number)]["workItemRefs"]]
                return Reply(200, {"count": len(items), "value": items})
            case "GET", [number, "properties"]:
                return self._properties(int(number))
            case "PATCH", [number, "properties"]:
                for each in question.body:
                    self.properties.setdefault(int(number), {})[each["path"].lstrip("/")] = each["value"]
                return self._properties(int(number))
            case "PATCH", [number]:
                return self._change(int(number), question.body)
            case "POST", [number, "labels"]:
                labels = self.rows[int(number)].setdefault("labels", [])
                label = {"id": f"label {question.body['name']}", "name": question.body["name"], "active": True}
                labels += [] if any(each["name"] == label["name"] for each in labels) else [label]
                return Reply(200, label)
            case "DELETE", [number, "labels", name]:
                row = self.rows[int(number)]
                row["labels"] = [each for each in row.get("labels", ()) if each["name"] != name]
                return Reply(200, None)
        return missing("no such route")

    def _open(self, home: Home, body: Json) -> Reply:
        source, target = body["sourceRefName"], body["targetRefName"]
        for ref in (source, target):
            if _branch(ref) not in home.git.branches:
                return refusal(400, "InvalidArgumentValueException", f"TF401398: {ref} does not exist")
        same = ("repository", "sourceRefName", "targetRefName", "status")
        wanted = {"repository": row_of(home), "sourceRefName": source, "targetRefName": target, "status": "active"}
        if any(all(self._seen(row)[key] == wanted[key] for key in same) for row in self.rows.values()):
            text = "TF401179: An active pull request for the source and target branch already exists."
            return refusal(409, "GitPullRequestExistsException", text)
        if too_long := _too_long(body):
            return too_long
        number = max(self.rows, default=40) + 1
        self.rows[number] = {
            **wanted,
            "pullRequestId": number,
            "createdBy": BOT,
            "creationDate": self._now(),
            "mergeStatus": "succeeded",
            "title": body["title"],
            "description": body.get("description", ""),
            "isDraft": body.get("isDraft", False),
            "workItemRefs": body.get("workItemRefs", []),
        }
        return Reply(201, self._seen(self.rows[number]))

    def _change(self, number: int, body: Json) -> Reply:
        row = self.rows.get(number)
        if row is None:
            return missing("TF401180: The requested pull request was not found.")
        if too_long := _too_long(body):
            return too_long
        setter = body.get("autoCompleteSetBy", {}).get("id", NOBODY)
        if setter not in (NOBODY, BOT["id"]):
            return refusal(400, "InvalidArgumentValueException", "autoCompleteSetBy may be who asks alone")
        if setter != NOBODY and CONTRIBUTE in self.repos.lacking:
            return needs(CONTRIBUTE)
        row |= {key: body[key] for key in _TAKEN if key in body}
        if body.get("status") == "abandoned":
            row["closedDate"] = self._now()
        self._complete_by_itself(number, row)
        return Reply(200, self._seen(row))

    def _complete_by_itself(self, number: int, row: dict[str, Json]) -> None:
        is_set = row.get("autoCompleteSetBy", {}).get("id", NOBODY) != NOBODY
        is_open = row["status"] == "active" and is_set
        is_linked = row["repository"]["id"] not in self.linking or bool(row["workItemRefs"])
        if is_open and is_linked and self._seen(row)["lastMergeSourceCommit"]["commitId"] in self.green:
            self.complete(number)

    def _list(self, rows: list[dict[str, Json]], query: Mapping[str, str]) -> Reply:
        """A list tells beginnings of descriptions alone."""
        source = query.get("searchCriteria.sourceRefName")
        creator = query.get("searchCriteria.creatorId")
        status = query.get("searchCriteria.status", "active")
        shown = [
            {**seen, "description": seen["description"][:CUT_AT]}
            for seen in map(self._seen, reversed(rows))
            if status in ("all", seen["status"])
            and source in (None, seen["sourceRefName"])
            and creator in (None, seen["createdBy"]["id"])
        ]
        start = int(query.get("$skip", "0"))
        shown = shown[start : start + int(query.get("$top", "101"))]
        return Reply(200, {"count": len(shown), "value": shown})

    def _properties(self, number: int) -> Reply:
        if number not in self.rows:
            return missing("TF401180: The requested pull request was not found.")
        known = self.properties.get(number, {})
        value = {name: {"$type": "System.String", "$value": each} for name, each in known.items()}
        return Reply(200, {"count": len(value), "value": value})

    def _one(self, number: int) -> Reply:
        row = self.rows.get(number)
        gone = missing("TF401180: The requested pull request was not found.")
        return gone if row is None else Reply(200, self._seen(row))

    def _policies(self, repository: str) -> Reply:
        value = self._asked_of(repository)
        return Reply(200, {"count": len(value), "value": value})

    def _asked_of(self, repository: str) -> list[dict[str, Json]]:
        asking = {BUILD_POLICY: self.guarded, LINKS_POLICY: self.linking}
        return [_policy(repository, kind) for kind, homes in asking.items() if repository in homes]

    def _seen(self, row: dict[str, Json]) -> dict[str, Json]:
        """As it is now: an open one is at the end of its branch."""
        home = self.repos.homes[row["repository"]["id"]]
        head = home.git.branches.get(_branch(row["sourceRefName"]))
        if row["status"] == "active" and head is not None:
            row["lastMergeSourceCommit"] = {"commitId": head}
        return {**row, "repository": row_of(home)}

    def _now(self) -> str:
        return self.repos.clock.now().isoformat().replace("+00:00", "Z")


def _policy(repository: str, kind: str) -> dict[str, Json]:
    settings = {"scope": [{"repositoryId": repository, "refName": f"{HEADS}main", "matchKind": "Exact"}]}
    row = {"id": 7, "isBlocking": True, "isEnabled": True, "isDeleted": False, "settings": settings}
    return {**row, "type": {"id": kind, "displayName": "Build" if kind == BUILD_POLICY else "Work item linking"}}


def _too_long(body: Json) -> Reply | None:
    units = len(body.get("description", "").encode("utf-16-le")) // 2
    text = f"A description has at most {MOST_UNITS} characters"
    return refusal(400, "InvalidArgumentValueException", text) if units > MOST_UNITS else None


def _branch(ref: str) -> str:
    return ref.removeprefix(HEADS)
