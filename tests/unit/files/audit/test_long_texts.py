"""Texts made to be slow to read: what is done for them is in proportion to their length."""

from collections.abc import Callable
from time import process_time

import pytest

from bot.files.audit.delivery.scheduled_tags import _ENABLED
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.secrets.manifests import _TEMPLATED
from bot.files.audit.workloads import deployed_images
from bot.files.formats.source.nodes import texts_under
from bot.files.formats.source.yaml import read


def test_what_aliases_stand_for_is_read_once() -> None:
    lines = ["a0: &a0 [x]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 15))]
    assert list(texts_under(read("\n".join(lines))[0])) == ["x"]


def _script(of_repository: Callable[[RepositoryTexts], object]) -> Callable[[str], object]:
    return lambda text: of_repository(RepositoryTexts({"deploy.sh": text.encode()}))


def test_the_name_of_a_workload_is_read_once_and_not_from_each_of_its_parts() -> None:
    attempts = list(deployed_images._WORKLOAD.finditer("deploy/," * 1000))
    assert [len(each[0]) for each in attempts] == [8000]


@pytest.mark.parametrize(
    ("reads", "unit", "count"),
    [
        (_ENABLED.search, "enable=${{", 600),
        (lambda text: _TEMPLATED.sub("", text), "{", 3000),
        (_script(deployed_images._sets_app_version), "sed ", 1500),
        (_script(deployed_images._setting_new_tags), "sed ", 1500),
        (_script(deployed_images._rewriting), "sed ", 1500),
        (_script(deployed_images._workloads_set_anew), "sed ", 1500),
        (_script(deployed_images._workloads_set_anew), "kubectl set image pods/a ; kubectl ", 150),
        (deployed_images._workloads_of, "deploy/,", 1500),
    ],
)
def test_four_times_as_long_a_text_takes_no_more_than_in_proportion(
    reads: Callable[[str], object], unit: str, count: int
) -> None:
    short, long = (min(_seconds(reads, unit * (count * by)) for _ in range(3)) for by in (1, 4))
    assert long < 9 * max(short, 1e-4)


def _seconds(reads: Callable[[str], object], text: str) -> float:
    began = process_time()
    reads(text)
    return process_time() - began
