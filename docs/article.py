"""What the article on hardened .NET images asks, each practice with the checks, the proposal and the law for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.domain.repositories.onboarding import SAFE_CHECKS
from bot.files.audit.rules import RULES
from docs.blocks import cell

_LAWS = Path(__file__).parent / "laws.md"


@dataclass(frozen=True, slots=True)
class ArticlePractice:
    """One thing that is asked. `law` is a row of docs/laws.md by its first words; `beside` is what else sees to it,
    a page with its title."""

    asks: str
    checks: tuple[str, ...]
    law: str
    beside: tuple[tuple[str, str], ...] = ()

    @property
    def proposal(self) -> str:
        """What onboarding makes of it, by what its checks can have done safely."""
        safe = [check for check in self.checks if check in SAFE_CHECKS]
        if not self.checks:
            return "none"
        if len(safe) == len(self.checks):
            return "commit"
        return "commit, patch" if safe else "patch"


@dataclass(frozen=True, slots=True)
class ArticleFault:
    """Where the article is not followed."""

    says: str
    instead: str
    check: str


_TEMPLATES = "Containers that a template hides are unknown, once for each question"
_READERS = "A scan whose report is read stays as it is"
PRACTICES: dict[str, tuple[ArticlePractice, ...]] = {
    "Runtime": (
        ArticlePractice("Not root, by number and for the whole pod", ("run-as-non-root", "image-user"), _TEMPLATES),
        ArticlePractice(
            "No privilege escalation",
            ("no-privilege-escalation", "not-privileged", "no-added-capabilities"),
            "What an unread patch may set is unknown",
        ),
        ArticlePractice(
            "A read-only root, with `/tmp` as an emptyDir", ("read-only-root", "volume-ownership"), _TEMPLATES
        ),
        ArticlePractice("All capabilities dropped", ("drop-all-capabilities",), _TEMPLATES),
        ArticlePractice("Seccomp's RuntimeDefault", ("seccomp-profile",), _TEMPLATES),
        ArticlePractice(
            "No socket of the engine", ("no-engine-socket", "no-host-paths", "no-host-namespaces"), _TEMPLATES
        ),
        ArticlePractice(
            "These in a shared chart or Kustomize base",
            ("shared-hardening",),
            "Shared settings are moved by people alone",
        ),
    ),
    "Scanning": (
        ArticlePractice(
            "Every image is scanned before it is deployed",
            ("image-scanned", "scan-target", "scan-before-deploy"),
            "What reads a report may be the gate: unknown",
        ),
        ArticlePractice(
            "It fails on HIGH and CRITICAL, without what has no fix",
            ("scan-blocks", "scan-severities", "scan-ignores-unfixed"),
            _READERS,
        ),
        ArticlePractice("The report is uploaded always", ("scan-report-uploaded",), _READERS),
        ArticlePractice(
            "The rest is looked at every week",
            (),
            "Where all sources stand still, nobody can tell",
            (("gate.md", "the gate and what it lets through"),),
        ),
    ),
    "SBOM and provenance": (
        ArticlePractice(
            "An SBOM in SPDX, attached at build",
            ("sbom",),
            "An SBOM is attached only by versions that know the input",
        ),
        ArticlePractice(
            "SLSA provenance, attached at build",
            ("provenance", "slsa-level"),
            "A statement's predicate decides which question it answers",
        ),
        ArticlePractice(
            "Which images contain a package can be asked",
            (),
            "A root of an SBOM with package URL is a package",
            (("packages.md", "packages of the fleet"),),
        ),
    ),
    "Signing and verifying": (
        ArticlePractice(
            "Signed by digest",
            ("image-signed", "signed-by-digest"),
            "A tag stands on the digest that was signed",
        ),
        ArticlePractice(
            "Keyless, from the build",
            ("keyless-signing",),
            "An image is signed where every image in its index is",
        ),
        ArticlePractice(
            "Verified at deploy, by identity and issuer",
            ("verified-before-deploy", "verified-identity"),
            "What is deployed unverified fails where no cluster can ask",
        ),
        ArticlePractice(
            "By an admission controller",
            ("admission-enforced", "verified-before-deploy"),
            "A policy counts for images it looks at",
        ),
    ),
    "Secrets": (
        ArticlePractice(
            "Build secrets by mount, never by ENV or ARG",
            ("image-secrets", "build-argument-secrets"),
            "What checks cannot read is unknown",
        ),
        ArticlePractice(
            "Runtime secrets from a store, as files, never as variables", ("runtime-secrets",), _TEMPLATES
        ),
        ArticlePractice(
            "Private registries are no excuse",
            ("image-secrets", "runtime-secrets"),
            "What is delivered is judged, wherever it stands",
        ),
    ),
    "Hygiene": (
        ArticlePractice(
            "The minor version is pinned",
            ("base-pinned", "dotnet-versions"),
            "No text gets an older version than it has",
        ),
        ArticlePractice(
            "Rebuilt every week with `--pull`, pushed under a new tag",
            ("weekly-rebuild", "fresh-layers", "dispatchable"),
            "A weekly run counts only where it surely pushes",
        ),
        ArticlePractice(
            "Microsoft's advisories are watched",
            (),
            "One source's word is enough for security",
            (("../policy.md", "what begins a rollout"),),
        ),
        ArticlePractice(
            "Rolled to pre-production, a canary and production, gated by load tests",
            ("staged-rollout",),
            "What an environment asks is read at the forge, or unknown",
            (("../policy.md", "from a green build to production"),),
        ),
    ),
}
FAULTS = (
    ArticleFault("UID 64198", "1654, which .NET images have", "run-as-non-root"),
    ArticleFault("Trivy's SARIF mode as a gate", "a gate that counts severities", "scan-severities"),
    ArticleFault("actions `@master`", "actions by commit", "actions-pinned"),
    ArticleFault("SBOM flags with the default builder", "a builder that can store what they ask for", "sbom"),
    ArticleFault("verifying a tag", "verifying the digest that is deployed", "verified-identity"),
)


def article_table() -> list[str]:
    """The lines of the page on practices that list what the article asks, and where it is not followed."""
    lines = ["| practice | asked by | proposal | law |", "|---|---|---|---|"]
    sections = dict(_sections())
    for group, practices in PRACTICES.items():
        lines.append(f"| **{group}** | | | |")
        for each in practices:
            asked = [f"[`{check}`](#{check})" for check in each.checks]
            asked += [f"[{title}]({_page(page)})" for page, title in each.beside]
            row = (each.asks, ", ".join(asked), each.proposal, _link(sections[each.law]))
            lines.append(f"| {' | '.join(cell(text) for text in row)} |")
    lines += [
        "",
        "Where the article errs, it is not followed:",
        "",
        "| it says | asked instead | by |",
        "|---|---|---|",
    ]
    lines += [f"| {each.says} | {each.instead} | [`{each.check}`](#{each.check}) |" for each in FAULTS]
    return [*lines, "", f"Beyond the article: {', '.join(_beyond())}."]


def _link(section: str) -> str:
    return f"[{section.partition('-')[0]}](laws.md#{section})"


def _page(page: str) -> str:
    return page.removeprefix("../") if page.startswith("../") else f"operate/{page}"


def _beyond() -> Iterator[str]:
    """The checks that no practice of the article asks for."""
    asked = {check for practices in PRACTICES.values() for each in practices for check in each.checks}
    asked |= {each.check for each in FAULTS}
    return (f"[`{rule.check}`](#{rule.check})" for rule in RULES if rule.check not in asked)


def _sections() -> Iterator[tuple[str, str]]:
    """What each law says, with the anchor of the section that it stands in."""
    anchor = ""
    for line in _LAWS.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            words = "".join(each for each in line[3:].lower() if each.isalnum() or each in " -_")
            anchor = words.replace(" ", "-")
        elif line.startswith("| ") and anchor:
            yield line.split("|")[1].strip(), anchor


def laws() -> frozenset[str]:
    """What the laws say, each by the first column of its row."""
    return frozenset(says for says, _ in _sections())
