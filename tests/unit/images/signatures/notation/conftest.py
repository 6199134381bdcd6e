import pytest

from tests.unit.images.signatures.making import Timestamper


@pytest.fixture(scope="module")
def timestamper(tmp_path_factory: pytest.TempPathFactory) -> Timestamper:
    return Timestamper.open(tmp_path_factory.mktemp("tsa"))
