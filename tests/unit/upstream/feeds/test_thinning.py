"""Which losses of an inventory look like a mistake."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.upstream.feeds import image_info
from bot.upstream.feeds.losses import FORM, ThinnedOut, ended_tags, thinned_out
from tests.unit.upstream.feeds.inventories import channel, document
from tests.unit.upstream.feeds.published import INVENTORIES, published

ASPNET, RUNTIME, DASHBOARD = "dotnet/aspnet", "dotnet/runtime", "dotnet/aspire-dashboard"
EVERY = [*channel("8.0"), *channel("9.0"), *channel("10.0"), "latest"]


def thin(
    before: Mapping[str, Sequence[str]],
    after: Mapping[str, Sequence[str]],
    ended: Sequence[str] = (),
    **overrides: Any,
) -> list[ThinnedOut]:
    older, newer = image_info.read(document(before))[0], image_info.read(document(after, **overrides))[0]
    return thinned_out(older, newer, image_info.compared(older, newer), ended)


def test_a_repository_that_is_listed_without_images_is_thinned_out_by_itself() -> None:
    before = {DASHBOARD: ["13", "13.1", "latest"], ASPNET: EVERY}
    [found] = thin(before, {DASHBOARD: [], ASPNET: EVERY})
    assert (found.place, found.told) == (
        DASHBOARD,
        "dotnet/aspire-dashboard has none of 3 tags left at once, which looks like a mistake there",
    )
    assert {tag for _, tag in found.tags} == {"13", "13.1", "latest"}


@pytest.mark.parametrize("left", [[], EVERY[:3]])
def test_the_loss_of_a_whole_repository_is_doubted_however_small_its_share_of_all_is(left: list[str]) -> None:
    others = {f"dotnet/other{number}": EVERY for number in range(20)}
    [found] = thin({ASPNET: EVERY, **others}, {ASPNET: left, **others})
    assert found.place == ASPNET
    assert len(found.tags) == len(EVERY) - len(left)


def test_channels_past_their_end_may_go_however_much_that_is() -> None:
    before = {ASPNET: EVERY, RUNTIME: EVERY}
    after = {ASPNET: [*channel("10.0"), "latest"], RUNTIME: [*channel("10.0"), "latest"]}
    assert thin(before, after, ["8.0", "9.0"]) == []
    assert [each.place for each in thin(before, after, [])] == [ASPNET, RUNTIME]


def test_a_channel_that_has_not_ended_is_doubted_beside_one_that_has() -> None:
    [found] = thin({ASPNET: EVERY}, {ASPNET: [*channel("10.0"), "latest"]}, ["8.0"])
    assert found.place == "dotnet/aspnet 9.0"
    assert {tag for _, tag in found.tags} == set(channel("9.0"))


def test_the_end_of_a_channel_excuses_no_loss_of_another_kind_of_repository() -> None:
    [found] = thin({DASHBOARD: channel("9.0")}, {DASHBOARD: [], ASPNET: EVERY}, ["9.0"])
    assert found.place == DASHBOARD


def test_what_came_in_place_of_what_went_makes_up_for_it() -> None:
    before = [*channel("8.0"), *(tag.replace("8.0", "8.0.21") for tag in channel("8.0"))]
    after = [*channel("8.0"), *(tag.replace("8.0", "8.0.22") for tag in channel("8.0"))]
    assert thin({ASPNET: before}, {ASPNET: after}) == []


def test_the_next_version_of_a_product_with_versions_of_its_own_is_no_loss() -> None:
    assert thin({DASHBOARD: ["13", "13.1", "latest"]}, {DASHBOARD: ["14", "14.0", "latest"]}) == []


def test_one_distribution_that_ends_is_no_loss_of_its_channel() -> None:
    assert thin({ASPNET: EVERY}, {ASPNET: [tag for tag in EVERY if "alpine" not in tag]}) == []


def test_a_changed_schema_doubts_whatever_is_lost_with_it() -> None:
    before, after = {ASPNET: EVERY, RUNTIME: EVERY}, {ASPNET: EVERY[1:], RUNTIME: EVERY[1:]}
    [found] = thin(before, after, ["8.0"], schemaVersion="3.0")
    assert (found.place, len(found.tags)) == (FORM, 2)
    assert found.told == "its schema is 3.0 instead of 2.0, and 2 tags with it"
    assert thin(before, after) == []


def test_a_renamed_member_doubts_whatever_is_lost_with_it() -> None:
    text = document({ASPNET: EVERY})
    older = image_info.read(text.replace(b'"simpleTags": []', b'"simpleTags": ["8.0.22-amd64"]'))[0]
    newer = image_info.read(text.replace(b'"simpleTags": []', b'"tags": ["8.0.22-amd64"]'))[0]
    [found] = thinned_out(older, newer, image_info.compared(older, newer), ())
    assert found.told == "it has no simpleTags any more, and 1 tag with it"


tags = st.lists(st.sampled_from(EVERY), unique=True, min_size=1)


@given(st.dictionaries(st.sampled_from([ASPNET, RUNTIME, DASHBOARD]), tags, min_size=1), st.data())
def test_what_is_doubted_was_lost_and_never_of_a_channel_past_its_end(
    before: dict[str, list[str]], data: st.DataObject
) -> None:
    after = {name: data.draw(st.lists(st.sampled_from(had), unique=True)) for name, had in before.items()}
    after["dotnet/other"] = ["1"]
    ended = data.draw(st.lists(st.sampled_from(["8.0", "9.0"]), unique=True))
    older, newer = image_info.read(document(before))[0], image_info.read(document(after))[0]
    step = image_info.compared(older, newer)
    doubted = frozenset[image_info.TagKey]().union(*(each.tags for each in thinned_out(older, newer, step, ended)))
    assert doubted <= step.withdrawn
    assert not ended_tags(doubted, ended)
    for name, had in before.items():
        if not after[name] and name == DASHBOARD:
            assert {(name, tag) for tag in had} <= doubted


@pytest.mark.parametrize("repository", [ASPNET, DASHBOARD])
def test_a_published_inventory_without_one_of_its_repositories_is_doubted_there_alone(repository: str) -> None:
    whole = json.loads(published(f"image-info-{INVENTORIES[1]}.json"))
    repos = [each | {"images": []} if each["repo"] == repository else each for each in whole["repos"]]
    before, after = (
        image_info.read(json.dumps(whole).encode())[0],
        image_info.read(json.dumps({**whole, "repos": repos}).encode())[0],
    )
    step = image_info.compared(before, after)
    [found] = thinned_out(before, after, step, ())
    assert (found.place, found.tags) == (repository, step.withdrawn)


def test_the_end_of_two_channels_of_a_published_inventory_is_believed() -> None:
    before, _ = image_info.read(published(f"image-info-{INVENTORIES[1]}.json"))
    ended = ended_tags(before.tags, ["8.0", "9.0"])
    assert len(ended) > len(before.tags) / 2
    after = replace(before, tags={key: entry for key, entry in before.tags.items() if key not in ended})
    step = image_info.compared(before, after)
    assert step.withdrawn == ended
    assert thinned_out(before, after, step, ["8.0", "9.0"]) == []
    assert {each.place for each in thinned_out(before, after, step, [])} >= {ASPNET, RUNTIME}
