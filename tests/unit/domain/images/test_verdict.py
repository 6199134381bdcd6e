"""Which verdicts on the image of a build say that its rebuild has not done what it was for."""

from bot.domain.images.verdict import ImageVerdict


def test_a_rebuild_fails_by_what_is_not_new_not_there_or_not_trusted_and_by_nothing_that_is_not_known() -> None:
    assert [verdict for verdict in ImageVerdict if verdict.fails] == [
        ImageVerdict.NO_OP,
        ImageVerdict.OTHER,
        ImageVerdict.NOT_SEEN,
        ImageVerdict.UNTRUSTED,
    ]
