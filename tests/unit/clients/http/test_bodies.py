import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clients.http.answers import decoded
from bot.domain.failure import Failure


def test_a_packed_body_counts_unpacked() -> None:
    bomb = gzip.compress(b"\0" * (2**20 + 1))
    with pytest.raises(Failure, match="sent more than the 1 MiB"):
        decoded(bomb, "gzip", 2**20, "here")


@given(st.binary(max_size=2000))
def test_gzip_is_undone(content: bytes) -> None:
    assert decoded(gzip.compress(content, mtime=0), "gzip", 4000, "here") == content


@pytest.mark.parametrize(
    ("raw", "encoding", "what"),
    [
        (b"no gzip", "gzip", "damaged gzip"),
        (gzip.compress(b"x" * 1000, mtime=0)[:-9], "gzip", "ends too early"),
        (gzip.compress(b"x", mtime=0) + b"more", "gzip", "or too late"),
        (b"x", "br", "unasked encoding 'br'"),
    ],
)
def test_a_body_that_cannot_be_unpacked_is_one_clear_line(raw: bytes, encoding: str, what: str) -> None:
    with pytest.raises(Failure, match=what):
        decoded(raw, encoding, 4000, "here")
