"""What GitHub's errors mean that come with 200."""

from typing import Any

import pytest

from bot.clients.forges.github.connection.answers import decoded
from bot.clients.forges.github.connection.graphql import graphql_answer
from bot.domain.failure import Failure, Meaning


@pytest.mark.parametrize(
    ("row", "meaning"),
    [
        ({"message": "Something went wrong while executing your query."}, Meaning.TRANSIENT),
        ({"message": "an error of a kind that nobody knows"}, Meaning.TRANSIENT),
        ({"type": "INTERNAL", "message": "no"}, Meaning.TRANSIENT),
        ({"type": "NOT_FOUND", "message": "no"}, Meaning.TRANSIENT),
        ({"type": "FORBIDDEN", "message": "Resource not accessible by integration"}, Meaning.REFUSED),
        ({"type": "UNPROCESSABLE", "message": "no"}, Meaning.REFUSED),
        ({"message": "no such field", "extensions": {"code": "undefinedField"}}, Meaning.OURS),
        ({"type": "MAX_NODE_LIMIT_EXCEEDED", "message": "no"}, Meaning.OURS),
    ],
)
def test_an_error_that_comes_with_200_is_judged_by_its_type_and_code(row: dict[str, Any], meaning: Meaning) -> None:
    (error,) = graphql_answer({"data": None, "errors": [row]}, "POST github/graphql").errors
    assert error.failure("POST github/graphql").meaning is meaning


def test_a_proxys_page_with_200_is_no_answer() -> None:
    with pytest.raises(Failure) as failed:
        decoded("<html>Bad gateway</html>", "GET github/user")
    assert failed.value.meaning is Meaning.TRANSIENT
