"""What each event of a service hook concerns, and that nothing odd in one is more than nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reach import Reach
from bot.domain.repositories.repository import AZURE_DEVOPS, RepositoryId
from bot.web.hooks.azure_devops import event_id_of, reach_of_service_hook

GUID = "278d5cd2-584d-4b63-824a-2ba458937249"
SHOP = frozenset({RepositoryId(AZURE_DEVOPS, GUID)})
REPOSITORY = {"id": GUID.upper(), "defaultBranch": "refs/heads/main"}


def pushed(*names: object, repository: object = REPOSITORY) -> dict[str, Any]:
    updates = [{"name": name, "oldObjectId": "0", "newObjectId": "1"} for name in names]
    return {"eventType": "git.push", "resource": {"refUpdates": updates, "repository": repository}}


@pytest.mark.parametrize(
    ("payload", "reach"),
    [
        (pushed("refs/heads/main"), Reach(moved_branches=SHOP)),
        (pushed("refs/heads/x", "refs/heads/main"), Reach(moved_branches=SHOP)),
        (pushed("refs/heads/x"), Reach()),
        (pushed("refs/tags/main"), Reach()),
        (pushed(None, repository={"id": GUID}), Reach()),
        (pushed("refs/heads/main", repository={**REPOSITORY, "id": 7}), Reach()),
        (pushed("refs/heads/main", repository={**REPOSITORY, "id": f"{GUID}0"}), Reach()),
        *(
            ({"eventType": f"git.pullrequest.{each}", "resource": {"repository": REPOSITORY}}, Reach(followed=SHOP))
            for each in ("created", "updated", "merged")
        ),
        ({"eventType": "workitem.created", "resource": {"repository": REPOSITORY}}, Reach()),
    ],
)
def test_an_event_concerns_its_repository_alone(payload: dict[str, Any], reach: Reach) -> None:
    assert reach_of_service_hook(payload) == reach


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda each: (
        st.lists(each, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "eventType", "resource", "repository", "refUpdates"]), each)
    ),
    max_leaves=10,
)


@given(JSON, JSON)
def test_nothing_odd_breaks_it(resource: Any, kind: Any) -> None:
    for event in (kind, "git.push"):
        payload = {"id": kind, "eventType": event, "resource": resource}
        assert reach_of_service_hook(payload) == Reach()
        assert event_id_of(payload) is None
