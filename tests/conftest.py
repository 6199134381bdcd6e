"""What every test may lean on: where the shared public data stands."""

from pathlib import Path

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"
"""Facts taken from public records; tests read them there, and are skipped with that reason where it is absent."""
