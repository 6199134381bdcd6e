"""What the audit says of some texts, with these."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.repositories.finding import Finding
from bot.files.audit.patches import Texts, patches
from bot.files.scope import LeftOut


@dataclass(frozen=True, slots=True)
class AuditedCheckout:
    """Findings, and the texts that they were made from, as far as these are at hand."""

    findings: tuple[Finding, ...]
    texts: Texts | None = None

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Files that are not judged, by folder; none where the texts are not at hand."""
        return self.texts.repository.scope.left_out() if self.texts is not None else ()

    @property
    def fixtures(self) -> Mapping[str, str]:
        """The folders that may hold fixtures, by the paths of findings in them."""
        if self.texts is None:
            return {}
        scope = self.texts.repository.scope
        paths = {finding.place.path for finding in self.findings}
        return {path: scope.folder(path) for path in paths if scope.may_be_fixture(path)}

    def patches(self) -> dict[Finding, str]:
        """What could be done about findings, as unified diffs; none without the texts."""
        return patches(self.texts, self.findings) if self.texts is not None else {}
