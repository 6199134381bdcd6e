"""What the audit says of some texts, with these."""

from dataclasses import dataclass

from bot.domain.repositories.finding import Finding
from bot.files.audit.patches import Texts, patches


@dataclass(frozen=True, slots=True)
class AuditedCheckout:
    """Findings, and the texts that they were made from, as far as these are at hand."""

    findings: tuple[Finding, ...]
    texts: Texts | None = None

    def patches(self) -> dict[Finding, str]:
        """What could be done about findings, as unified diffs; none without the texts."""
        return patches(self.texts, self.findings) if self.texts is not None else {}
