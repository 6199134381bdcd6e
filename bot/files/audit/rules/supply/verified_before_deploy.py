"""What is deployed was verified first, by the workflow that deploys it or by the cluster that takes it.

What: a step before each deploy verifies the signature (`cosign verify`, `notation verify`, `gh attestation
verify`, `slsa-verifier`) and ends the run where there is none; or a policy of this repository enforces it, Flux
verifies what it deploys, or Argo CD takes signed commits alone.

Example that fails::

    - uses: docker/build-push-action@v6
      with: {push: true, tags: contoso.azurecr.io/api:1}
    - run: az containerapp update --name api --image contoso.azurecr.io/api:1

Fix: `cosign verify --certificate-identity-regexp '^https://github\\.com/contoso/api/'`
`--certificate-oidc-issuer https://token.actions.githubusercontent.com …@sha256:…` before the deploy; for a cluster
rather a policy of admission that enforces, such as Kyverno's
`verifyImages: [{imageReferences: ["contoso.azurecr.io/*"], failureAction: Enforce, attestors: […]}]`.

A cluster is unknown until `audit.admission` says that it admits verified images alone. What runs an image without
asking anybody (Container Apps, App Service, Container Instances, Fly) fails.

Exceptions: tests, clusters that a job makes for itself, and deploys that bring no image are asked nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.repositories.finding import FindingSeverity, Outcome, Place
from bot.domain.wording.words import first_few
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.delivery import Deploy
from bot.files.audit.delivery.deploys import builds_itself, has_admission, image_deploys
from bot.files.audit.delivery.verifying import covers, gates_before, may_verify, patterns_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.rules.supply.admission_enforced import judge as judge_policies
from bot.files.audit.suggestions.verifying import verify_before
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.audit.workloads.gitops import Controller, controllers
from bot.files.audit.workloads.kubernetes import manifest_paths
from bot.files.audit.workloads.objects import objects, word

_STEP = "a step before it that verifies (cosign verify …@sha256:…)"
_POLICY = "a policy of admission that enforces, in this repository or told by audit.admission of the settings"
_ADVICE = "verify the digest with cosign before it is deployed"
_BY_WORD = "what it deploys to admits verified images alone, by the operator's word"


@dataclass(frozen=True, slots=True)
class _Policy:
    subject: str
    patterns: tuple[str, ...]


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    policies = list(_policies(repository))
    by_job = {
        (id(each.step.job.mapping), each.step.job.environment): each for each in image_deploys(repository)[::-1]
    }
    for deploy in reversed(by_job.values()):
        yield _of_deploy(repository, deploy, policies)
    for controller in controllers(repository):
        yield _of_controller(repository, controller, policies)


def _of_deploy(repository: RepositoryTexts, deploy: Deploy, policies: list[_Policy]) -> Verdict:
    place, subject = repository.where(deploy.step), deploy.step.subject
    gates = list(gates_before(repository, deploy))
    gate = next((each for each in gates if each.stops), None)
    if gate is not None:
        return holds(place, subject, f"{gate.tool} verifies before it")
    if repository.surroundings.admits_verified_only:
        return holds(place, subject, _BY_WORD)
    if has_admission(deploy) and policies:
        return _of_policies(repository, deploy, policies)
    if any(each.stops is None for each in gates):
        return unknown(place, subject, "whether a failed verification ends the run is not told", "a plain command")
    strangers = may_verify(repository, deploy)
    if strangers:
        why = f"no verification is seen before it, but {first_few(strangers)} may make one"
        return unknown(place, subject, why, f"what {first_few(strangers)} does")
    if has_admission(deploy):
        return unknown(place, subject, "nothing here verifies what it deploys", f"{_STEP}, or {_POLICY}")
    if builds_itself(deploy):
        why = "it builds what it deploys, so that nothing comes between"
        return unknown(place, subject, why, f"a build of its own, and {_STEP}")
    return fails(place, subject, "nothing verifies what it deploys", verify_before(repository, deploy, _ADVICE))


def _of_policies(repository: RepositoryTexts, deploy: Deploy, policies: list[_Policy]) -> Verdict:
    place, subject = repository.where(deploy.step), deploy.step.subject
    names = [
        name for push in deliveries(repository).pushes if push.pipeline is deploy.pipeline for name in push.names
    ]
    covering = next((each for each in policies if covers(each.patterns, names)), None)
    if covering is not None:
        return holds(place, subject, f"{covering.subject} keeps out what does not verify")
    why = f"whether {policies[0].subject} looks at what is deployed here is not told"
    return unknown(place, subject, why, f"its images written out in the policy, or {_STEP}")


def _of_controller(repository: RepositoryTexts, controller: Controller, policies: list[_Policy]) -> Verdict:
    place, subject = repository.place(controller.manifest, controller.path), controller.subject
    if controller.lets_anybody:
        why = "it verifies signatures of anybody: neither a key nor an identity is named"
        advice = "name matchOIDCIdentity with issuer and subject, or a secretRef with keys"
        return fails(place, subject, why, advice)
    if controller.verifies:
        return holds(place, subject, controller.verifies)
    if repository.surroundings.admits_verified_only:
        return holds(place, subject, _BY_WORD)
    covering = next((each for each in policies if covers(each.patterns, [])), None)
    if covering is not None:
        return holds(place, subject, f"{covering.subject} keeps out what does not verify")
    settled_by = f"{_POLICY}, or {controller.way}"
    return unknown(place, subject, f"{controller.name} deploys from here, and nothing here verifies", settled_by)


def _policies(repository: RepositoryTexts) -> Iterator[_Policy]:
    """The policies of the repository that keep out what does not verify."""
    failing = set[tuple[Place, str]]()
    holding = dict[tuple[Place, str], None]()
    for verdict in judge_policies(repository):
        key = (verdict.place, verdict.subject.partition(" · ")[0])
        if verdict.outcome is Outcome.HOLDS:
            holding[key] = None
        else:
            failing.add(key)
    for path in manifest_paths(repository) if holding else ():
        for manifest in objects(repository.documents(path)):
            name = word(manifest.mapping("metadata").get("name")) or "?"
            key = (repository.place(manifest, path), f"{word(manifest.get('kind'))}/{name}")
            if key in holding and key not in failing:
                yield _Policy(key[1], patterns_of(manifest))


RULE = Rule(
    "verified-before-deploy",
    "What is deployed is verified first",
    "A signature that nobody asks for keeps nobody out.",
    FindingSeverity.MEDIUM,
    judge,
)
