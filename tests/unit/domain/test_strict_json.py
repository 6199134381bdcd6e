"""JSON that something is decided by has one meaning: no member of an object is named twice, however deep."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.strict_json import DoubledMember, read_strict_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_what_names_each_member_once_is_read_as_it_is(value: object) -> None:
    assert read_strict_json(json.dumps(value)) == value


@given(st.dictionaries(st.text(max_size=5), VALUES, min_size=1, max_size=4), VALUES, st.data())
def test_a_member_that_is_named_twice_is_refused_however_deep_it_lies(
    members: dict[str, object], other: object, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(members)))
    doubled = json.dumps(members)[:-1] + f", {json.dumps(name)}: {json.dumps(other)}}}"
    for text in (doubled, f'[{{"inner": {doubled}}}]'):
        with pytest.raises(DoubledMember):
            read_strict_json(text)


def test_one_name_in_two_spellings_is_one_name() -> None:
    with pytest.raises(DoubledMember, match="named twice: 'id'"):
        read_strict_json('{"id": 1, "\\u0069d": 2}')
