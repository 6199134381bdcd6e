"""Claims and leases are what the databases do each in its own way: `make test` takes these on both."""

import pytest

from tests.integration.store.conftest import ENGINES


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)
