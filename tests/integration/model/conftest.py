from pathlib import Path

import pytest

from tests.migrated import new_sqlite


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with its tables and nothing in them."""
    path = tmp_path_factory.mktemp("model") / "template.db"
    new_sqlite(path)
    return path
