"""Moments of the sample fleet at which tests begin: those of other settings go on from here too."""

from tests.e2e.beginnings import beginning
from tests.e2e.publishing import move, publish
from tests.e2e.staging import Stage, settled

SETTLED = beginning(settled)
"""Its bases are known, nothing has happened yet (on SQLite)."""
PUBLISHED = SETTLED.then(publish)
"""Its bases were patched after it had settled; the bot has not seen that yet."""
PATCHED = PUBLISHED.then(Stage.run_pass)
"""The same, and the bot has acted on it in one pass."""
MOVED = SETTLED.then(move)
"""Its base of aspnet has moved before any feed lists the release, after the next pass."""
