"""Where the shared test vectors are, and the cases that they list."""

import json
from typing import Any

import pytest

from tests.conftest import NO_SHARED_DATA, SHARED

EVIDENCE = SHARED / "evidence"

needs_evidence = pytest.mark.skipif(
    not EVIDENCE.is_dir(),
    reason=NO_SHARED_DATA,
)


def cases(kind: str) -> list[Any]:
    path = EVIDENCE / kind / "cases.json"
    return json.loads(path.read_text()) if path.is_file() else []
