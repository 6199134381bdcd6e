"""Nothing that the API's description allows, or forbids, breaks it: schemathesis makes the requests up."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from sandbox.stored_fleet.serving import TOKEN, served

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("api"), repositories=40, usages=2) as url:
        yield url


@pytest.mark.long
def test_each_answer_is_as_described(address: str) -> None:
    """Right requests and wrong ones: none ends in a 5xx, and each answer has the described status and shape."""
    schema = schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json", headers=HEADERS)
    tried = []
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def hold_to_the_description(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=HEADERS)
            tried.append(case)

        hold_to_the_description()
    assert len(tried) > 100
