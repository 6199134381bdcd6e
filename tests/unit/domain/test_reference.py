"""Image references as written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reference import InvalidReference, Reference

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "Not/An/Image",
        "a:b:c",
        "a@sha256:abc",
        f"a:1@{DIGEST}0",
        f"a@{DIGEST[:-1]}",
        "a@md9:" + "0" * 64,
        "ab" * 32,
        "a" * 248,
    ],
)
def test_what_docker_refuses_is_no_reference(text: str) -> None:
    with pytest.raises(InvalidReference):
        Reference.parse(text)


@given(
    st.text(alphabet="aB1.:/@-_ ", max_size=30) | st.from_regex(r"[a-z/:]{1,9}@[a-z0-9+]{1,7}:[0-9a-fA-F]{1,70}")
)
def test_any_text_is_a_reference_or_refused_as_one(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except InvalidReference:
        return
    assert str(reference) == text.removesuffix("\n")
