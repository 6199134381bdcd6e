"""Which of two versions is older, as everything that tells, plans and writes asks it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bases.dotnet import goes_back
from bot.domain.tags.choice import is_newer

_NUMBERS = st.integers(0, 450)
_STAGES = st.sampled_from(
    ["", "-preview.1", "-preview.4.25258.110", "-preview.10", "-rc.1.25451.107", "-rc.2", "-rtm.25523.111"]
)
_VERSIONS = st.builds("{}.{}.{}{}".format, st.integers(3, 12), st.integers(0, 2), _NUMBERS, _STAGES)


@pytest.mark.parametrize(
    ("before", "after", "is_back"),
    [
        ("10.0.10", "10.0.9", True),
        ("10.0.9", "10.0.10", False),
        ("10.0.10", "10.0.10", False),
        ("10.0.0", "10.0.0-rc.2.25502.107", True),
        ("10.0.0-rc.1", "10.0.0-preview.7", True),
        ("10.0.1", "9.0.11", True),
        ("8.0.404", "8.0.308", True),
        ("1.10.0-noble", "1.9.9-noble", True),
        ("v1.4.2", "v1.4.3", False),
        (None, "10.0.9", False),
        ("10.0.9", None, False),
        ("latest", "10.0.9", False),
        ("10.0.0-preview.1.25080.5", "10.0.0-preview.1", False),
    ],
)
def test_a_version_goes_back_where_the_other_is_older(before: str | None, after: str | None, is_back: bool) -> None:
    assert goes_back(before, after) is is_back


@given(_VERSIONS, _VERSIONS)
def test_of_two_versions_one_at_most_goes_back_to_the_other(one: str, other: str) -> None:
    assert not (goes_back(one, other) and goes_back(other, one))


@given(_VERSIONS, _VERSIONS)
def test_releases_are_ordered_as_their_tags_are(one: str, other: str) -> None:
    released = [text.partition("-")[0] for text in (one, other)]
    assert goes_back(*released) is is_newer(released[1], released[0])
