"""What a look at a branch makes of GitHub's answers."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bot.clients.forges.github.files import GatheredBlobs
from bot.clients.forges.github.pull_requests.looking import look, standings
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.pull_requests import Wishes
from bot.domain.repositories.repository import Identity, blob_name

SHOP = Identity("contoso/shop", "R_1")
SHA1 = "0" * 40
BOT = {"name": "freshness", "email": "7+freshness[bot]@users.noreply.github.com", "user": None}
PERSON = {"name": "Jo", "email": "jo@contoso.com", "user": {"login": "jo"}}
USER_BOT = {"name": "Freshness", "email": "bot@contoso.com", "user": {"login": "Freshness[bot]"}}
ITSELF = {"name": "GitHub", "email": "noreply@github.com", "user": None}


def commit(author: Mapping[str, Any] = BOT, committer: Mapping[str, Any] = ITSELF) -> dict[str, Any]:
    return {"oid": "c", "tree": {"oid": "t"}, "message": "m", "author": author, "committer": committer}


def answer(**values: Any) -> dict[str, Any]:
    repository = {
        "id": "R_1",
        "nameWithOwner": "contoso/shop",
        "isArchived": False,
        "isDisabled": False,
        "isLocked": False,
        "lockReason": None,
        "viewerPermission": "WRITE",
        "config": None,
        "defaultBranchRef": {"name": "main", "target": commit()},
        "branch": {"target": commit()},
        "pullRequests": {"nodes": []},
        "others": {"nodes": []},
    }
    return {"data": {"viewer": {"login": "freshness[bot]"}, "found": {**repository, **values}}}


@pytest.mark.parametrize(
    ("author", "committer", "is_own"),
    [
        (BOT, ITSELF, True),
        (BOT, BOT, True),
        (USER_BOT, ITSELF, True),
        (BOT, PERSON, False),
        (PERSON, PERSON, False),
        (PERSON, ITSELF, False),
    ],
    ids=["by the API", "by REST", "a user's token", "amended", "amended with --reset-author", "on the web page"],
)
async def test_a_commit_is_the_bots_where_nobody_else_has_made_or_changed_it(
    graphs: Callable[..., Any], author: Mapping[str, Any], committer: Mapping[str, Any], is_own: bool
) -> None:
    shown = answer(branch={"target": commit(author, committer)})
    found = await look(graphs(shown), SHOP, "b", [], Wishes())
    assert found.branch is not None
    assert found.branch.is_own is is_own


async def test_a_repository_whose_id_is_known_is_never_asked_for_by_its_name(graphs: Callable[..., Any]) -> None:
    """Its old name may be another's by now, which a forge answers for without a word."""
    asked = graphs(answer())
    await look(asked, SHOP, "b", [], Wishes())
    await standings(asked, [SHOP, Identity("contoso/new", None)])
    given = [set(map(str, variables.values())) for _, variables in asked.asked]
    assert "R_1" in given[0] & given[1]
    assert not {"shop"} & (given[0] | given[1])
    assert {"contoso", "new"} <= given[1]


async def test_pull_requests_from_forks_are_not_ours(graphs: Callable[..., Any]) -> None:
    row = {
        "id": "PR_1",
        "number": 1,
        "url": "",
        "title": "t",
        "body": "",
        "state": "OPEN",
        "headRefName": "b",
        "baseRefName": "main",
        "author": {"login": "freshness"},
        "headRefOid": "c",
        "mergeable": "CONFLICTING",
        "mergeCommit": None,
        "mergedAt": None,
        "labels": {"nodes": []},
        "autoMergeRequest": None,
        "mergeQueueEntry": None,
        "assignees": {"nodes": []},
        "isDraft": False,
        "isCrossRepository": False,
    }
    shown = answer(pullRequests={"nodes": [{**row, "isCrossRepository": True}, {**row, "number": 2}]})
    found = await look(graphs(shown), SHOP, "b", [], Wishes())
    assert [(item.number, item.is_conflicted) for item in found.pull_requests] == [(2, True)]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"isArchived": True}, "archived"),
        ({"isLocked": True, "lockReason": "TRANSFERRING_OWNERSHIP"}, "locked (transferring ownership)"),
        ({"isDisabled": True}, "disabled"),
    ],
)
async def test_why_nothing_can_be_written_is_told(
    graphs: Callable[..., Any], values: dict[str, Any], told: str
) -> None:
    row = answer(**values)["data"]["found"]
    found = await standings(graphs({"data": {"r0": row}}), [SHOP])
    assert found[SHOP].read_only == told


async def test_names_that_nobody_has_are_told_apart_from_those_that_were_not_looked_for(
    graphs: Callable[..., Any],
) -> None:
    shown = answer(l0={"id": "LA_1"})
    shown["data"] |= {"u0": None, "organization": {"t0": {"id": "T_1"}}}
    shown["errors"] = [{"type": "NOT_FOUND", "path": ["u0"], "message": "no user"}]
    found = await look(graphs(shown), SHOP, "b", [], Wishes(("freshness",), ("gone",), ("platform",)))
    assert found.wish_ids.labels == {"freshness": "LA_1"}
    assert found.wish_ids.people == {"gone": None}
    assert found.wish_ids.teams == {"platform": "T_1"}


@pytest.mark.parametrize(
    "wrong", [None, [], {}, {"data": {"found": {"id": "R_1"}}}, {"data": {"found": 1}}, {"data": {"viewer": 1}}]
)
async def test_an_answer_of_another_shape_is_a_failure(graphs: Callable[..., Any], wrong: Any) -> None:
    with pytest.raises(Failure):
        await look(graphs(wrong), SHOP, "b", ["Dockerfile"], Wishes())


@pytest.mark.parametrize("kind", ["FORBIDDEN", "SERVICE", ""])
async def test_of_several_repositories_one_that_is_not_shown_hides_no_other(
    graphs: Callable[..., Any], kind: str
) -> None:
    row = {
        "id": "R_1",
        "nameWithOwner": "contoso/shop",
        "isArchived": False,
        "isDisabled": False,
        "isLocked": False,
    }
    row |= {"lockReason": None, "viewerPermission": None, "defaultBranchRef": None, "config": None}
    wrong: dict[str, Any] = {
        "data": {"r0": row, "r1": None},
        "errors": [{"type": kind, "path": ["r1"], "message": "no"}],
    }
    assert list(await standings(graphs(wrong), [SHOP, Identity("contoso/hidden", "R_2")])) == [SHOP]
    with pytest.raises(Failure):
        await standings(graphs({**wrong, "errors": [{**wrong["errors"][0], "path": ["r0"]}]}), [SHOP])


@pytest.mark.parametrize(
    ("kind", "trouble"),
    [
        ("FORBIDDEN", Trouble.DENIED),
        ("SERVICE", Trouble.UNREACHABLE),
        ("", Trouble.UNREACHABLE),
        ("NOT_FOUND", Trouble.MISSING),
    ],
)
async def test_an_error_says_what_is_the_matter(graphs: Callable[..., Any], kind: str, trouble: Trouble) -> None:
    wrong = {"data": {"found": None}, "errors": [{"type": kind, "path": ["found"], "message": "no"}]}
    with pytest.raises(Failure) as failed:
        await look(graphs(wrong), SHOP, "b", [], Wishes())
    assert failed.value.trouble is trouble


# Contents


def blob_row(body: bytes, **values: Any) -> dict[str, Any]:
    known = {"oid": blob_name(body, SHA1), "byteSize": len(body), "isBinary": False, "isTruncated": False}
    return {**known, "text": body.decode(errors="replace"), **values}


async def test_many_contents_come_in_one_request_and_odd_ones_by_themselves(graphs: Callable[..., Any]) -> None:
    bodies = [b"FROM a\n", b"b\r\n", b"\xff\xfe", b"long", b"lied about"]
    shas = [blob_name(body, SHA1) for body in bodies]
    rows = [blob_row(body) for body in bodies]
    rows[2] |= {"isBinary": True, "text": None}
    rows[3] |= {"isTruncated": True, "text": "lo"}
    rows[4] |= {"text": "something else"}
    asked = graphs({"data": {"r0": {f"b{number}": row for number, row in enumerate(rows)}}})
    asked.bodies = {
        f"/repos/contoso/shop/git/blobs/{sha}": {"encoding": "utf-8", "content": body.decode()}
        for sha, body in zip(shas[3:], bodies[3:], strict=True)
    }
    asked.bodies[f"/repos/contoso/shop/git/blobs/{shas[2]}"] = {"encoding": "base64", "content": "//4="}
    found = await GatheredBlobs(asked).of(SHOP, shas)
    assert [found[sha] for sha in shas] == bodies
    assert (len(asked.asked), len(asked.read_paths)) == (1, 3)


async def test_contents_that_are_too_many_for_one_request_are_asked_for_in_halves(
    graphs: Callable[..., Any],
) -> None:
    bodies = {blob_name(b"%d" % number, SHA1): b"%d" % number for number in range(120)}

    def heavy(variables: Mapping[str, Any]) -> Any:
        shas = [value for name, value in variables.items() if name.startswith("o")]
        if len(shas) > 30:
            return {"data": {}, "errors": [{"message": "Resource limits for this query exceeded."}]}
        return {"data": {"r0": {f"b{n}": blob_row(bodies[sha]) for n, sha in enumerate(shas)}}}

    asked = graphs(heavy)
    assert await GatheredBlobs(asked).of(SHOP, list(bodies)) == bodies
    assert asked.read_paths == []


async def test_what_several_repositories_are_asked_for_at_once_goes_together(graphs: Callable[..., Any]) -> None:
    bodies = {blob_name(b"%d" % number, SHA1): b"%d" % number for number in range(8)}
    shas = list(bodies)

    def shown(variables: Mapping[str, Any]) -> Any:
        rows: dict[str, Any] = {}
        for name, sha in variables.items():
            if name.startswith("o"):
                repository, _, place = name[1:].partition("_")
                rows.setdefault(f"r{repository}", {})[f"b{place}"] = blob_row(bodies[sha])
        return {"data": rows}

    asked = graphs(shown)
    many = GatheredBlobs(asked)
    found = await asyncio.gather(
        *(many.of(Identity(f"contoso/{n}", f"R_{n}"), shas[2 * n : 2 * n + 2]) for n in range(4))
    )
    assert [list(each) for each in found] == [shas[0:2], shas[2:4], shas[4:6], shas[6:8]]
    assert len(asked.asked) == 1


async def test_a_failure_reaches_everybody_who_waits_for_it_and_nobody_later(graphs: Callable[..., Any]) -> None:
    body = b"a"
    sha = blob_name(body, SHA1)
    asked = graphs(Failure(Trouble.THROTTLED, "later"), {"data": {"r0": {"b0": blob_row(body)}}})
    many = GatheredBlobs(asked)
    told = await asyncio.gather(*(many.of(SHOP, [sha]) for _ in range(3)), return_exceptions=True)
    assert [str(each) for each in told] == ["later"] * 3
    assert await many.of(SHOP, [sha]) == {sha: body}
