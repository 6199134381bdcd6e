"""What GitHub's errors mean that come with 200."""

from typing import Any

import pytest

from bot.clients.forges.github.connection.answers import decoded
from bot.clients.forges.github.connection.graphql import graphql_answer
from bot.domain.failure import Failure, Verdict


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ({"message": "Something went wrong while executing your query."}, Verdict.TRANSIENT),
        ({"message": "an error of a kind that nobody knows"}, Verdict.TRANSIENT),
        ({"type": "INTERNAL", "message": "no"}, Verdict.TRANSIENT),
        ({"type": "NOT_FOUND", "message": "no"}, Verdict.TRANSIENT),
        ({"type": "FORBIDDEN", "message": "Resource not accessible by integration"}, Verdict.REFUSED),
        ({"type": "UNPROCESSABLE", "message": "no"}, Verdict.REFUSED),
        ({"message": "no such field", "extensions": {"code": "undefinedField"}}, Verdict.OURS),
        ({"type": "MAX_NODE_LIMIT_EXCEEDED", "message": "no"}, Verdict.OURS),
    ],
)
def test_an_error_that_comes_with_200_is_judged_by_its_type_and_code(row: dict[str, Any], verdict: Verdict) -> None:
    (error,) = graphql_answer({"data": None, "errors": [row]}, "POST github/graphql").errors
    assert error.failure("POST github/graphql").verdict is verdict


def test_a_proxys_page_with_200_is_no_answer() -> None:
    with pytest.raises(Failure) as failed:
        decoded("<html>Bad gateway</html>", "GET github/user")
    assert failed.value.verdict is Verdict.TRANSIENT
