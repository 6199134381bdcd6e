"""`freshness-bot audit .` on this repository: nothing fails, and nothing is unknown."""

from bot.commands.files.audit import audited
from bot.domain.clock import SystemClock
from bot.domain.repositories.finding import Outcome
from tests.integration.workflows.written import ROOT


def test_nothing_fails_and_nothing_is_unknown() -> None:
    findings = audited(ROOT, SystemClock(), lambda done, of: None).findings
    open_outcomes = {Outcome.FAILS, Outcome.UNKNOWN}
    assert [(each.place, each.check, each.message) for each in findings if each.outcome in open_outcomes] == []
    assert {"weekly-rebuild", "image-signed", "image-scanned", "sbom", "slsa-level", "run-as-non-root"} <= {
        each.check for each in findings if each.outcome is Outcome.HOLDS
    }
