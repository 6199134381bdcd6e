"""A policy of admission that verifies images also keeps the others out.

What: Kyverno policies with `verifyImages` enforce (`validationFailureAction` or `failureAction`: Enforce); policies
of sigstore's policy-controller have authorities with an identity and are not in mode warn; Ratify's constraints
deny.

Example that fails::

    kind: ClusterPolicy
    spec: {validationFailureAction: Audit, rules: [{verifyImages: […]}]}

Fix: `validationFailureAction: Enforce`.

Exceptions: repositories without such a policy are asked nothing.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Place
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.splicing.keys import with_key
from bot.files.audit.verdict import Verdict, fails, holds
from bot.files.audit.workloads.kubernetes import manifest_paths
from bot.files.audit.workloads.objects import objects, word
from bot.files.formats.source.nodes import Mapping

_ENFORCE = "set the action to Enforce"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for path in manifest_paths(repository):
        text = repository.text(path)
        if not any(
            kind in text for kind in ("verifyImages", "ClusterImagePolicy", "ImageValidatingPolicy", "ratify")
        ):
            continue
        for manifest in objects(repository.documents(path)):
            kind = word(manifest.get("kind")) or ""
            name = word(manifest.mapping("metadata").get("name")) or "?"
            place, subject = repository.place(manifest, path), f"{kind}/{name}"
            if kind in {"ClusterPolicy", "Policy"} and "kyverno" in (word(manifest.get("apiVersion")) or ""):
                yield from _kyverno(repository, manifest, place, subject)
            elif kind == "ClusterImagePolicy":
                yield _policy_controller(repository, manifest, place, subject)
            elif kind.lower().startswith("ratify") and "constraints" in (word(manifest.get("apiVersion")) or ""):
                action = word(manifest.mapping("spec").get("enforcementAction")) or "deny"
                if action == "deny":
                    yield holds(place, subject, "it denies what Ratify does not verify")
                else:
                    fix = with_key(
                        *(repository, manifest.mapping("spec"), "enforcementAction", ["deny"]),
                        "set enforcementAction: deny",
                    ).as_suggestion
                    yield fails(place, subject, f"enforcementAction is {action}", fix)


def _kyverno(repository: RepositoryTexts, manifest: Mapping, place: Place, subject: str) -> Iterator[Verdict]:
    spec = manifest.mapping("spec")
    general = word(spec.get("validationFailureAction")) or "Audit"
    for rule in spec.sequence("rules"):
        if not isinstance(rule, Mapping) or not rule.sequence("verifyImages"):
            continue
        for check in rule.sequence("verifyImages"):
            action = (word(check.get("failureAction")) if isinstance(check, Mapping) else None) or general
            rule_subject = f"{subject} · {word(rule.get('name')) or 'rule'}"
            if action.lower() == "enforce":
                yield holds(place, rule_subject, "images that do not verify are kept out")
            else:
                holder, key = spec, "validationFailureAction"
                if isinstance(check, Mapping) and check.get("failureAction") is not None:
                    holder, key = check, "failureAction"
                fix = with_key(repository, holder, key, ["Enforce"], _ENFORCE).as_suggestion
                yield fails(place, rule_subject, f"it only audits: the action is {action}", fix)


def _policy_controller(repository: RepositoryTexts, manifest: Mapping, place: Place, subject: str) -> Verdict:
    spec = manifest.mapping("spec")
    authorities = [each for each in spec.sequence("authorities") if isinstance(each, Mapping)]
    for authority in authorities:
        passes = word(authority.mapping("static").get("action"))
        if passes == "pass":
            return fails(place, subject, "an authority passes everything", "name the identity that counts")
        if authority.get("keyless") is not None and not authority.mapping("keyless").sequence("identities"):
            return fails(
                place, subject, "no identity is named, so any counts", "name identities with issuer and subject"
            )
    if word(spec.get("mode")) == "warn":
        fix = with_key(repository, spec, "mode", ["enforce"], "set mode: enforce").as_suggestion
        return fails(place, subject, "it only warns", fix)
    return holds(place, subject, "images that do not verify are kept out")


RULE = Rule(
    "admission-enforced",
    "Admission keeps out what does not verify",
    "A policy that only audits lets everything run.",
    FindingSeverity.HIGH,
    judge,
)
