"""What is deployed to production passes a gate first.

What: the job that deploys to production has an `environment:` that asks for reviewers or a wait; or comes after an
approval or an earlier stage; or rolls out by steps (Argo Rollouts, Flagger, revisions, slots); or is started by
people alone.

Example that fails::

    on: push
    jobs: {deploy-production: {steps: [{run: az containerapp update -n api --image contoso/api:2}]}}

Fix: `environment: production` for the job, with required reviewers or a wait timer at the forge (Settings,
Environments), limited to the branch that deploys. Where the job signs in by OIDC, the cloud has to know its
subject first, `repo:contoso/api:environment:production`.

What an environment asks only the forge tells: for a checkout it is unknown. So is a stage that nothing names, and
what a release, a tag or another workflow starts.

Exceptions: stages before production, tests, clusters that a job makes for itself, and what Flux and Argo CD deploy
are asked nothing.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.domain.wording.words import first_few
from bot.files.audit.delivery.delivery import Deploy
from bot.files.audit.delivery.deploys import has_admission, image_deploys
from bot.files.audit.delivery.stages import DeployStage, gate_of, looks_at_rollout, stage_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.shell import is_unknown
from bot.files.audit.splicing.keys import NotSpliceable, edits_of, with_key
from bot.files.audit.suggestions.rights import check_own_workflow
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.audit.workflows.flattening import started_by_another
from bot.files.audit.workflows.model import TESTS_ONLY
from bot.files.audit.workflows.releases import why_no_schedule
from bot.files.audit.workloads.kubernetes import pods

_SET = "set required reviewers or a wait timer for it at the forge (Settings, Environments)"
_ADVICE = f"add environment: production to the job, and {_SET}"
_MANUAL = frozenset({"workflow_dispatch"})
_UNASKED = frozenset({"push", "schedule"})
"""What starts by itself; whatever else starts a run may be a gate."""


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for deploy in image_deploys(repository):
        stage = stage_of(deploy)
        if stage is not DeployStage.EARLIER:
            yield _of_deploy(repository, deploy, stage)


def _of_deploy(repository: RepositoryTexts, deploy: Deploy, stage: DeployStage) -> Verdict:
    place, subject = repository.where(deploy.step), deploy.step.subject
    started_by = deploy.step.events - TESTS_ONLY
    if started_by <= _MANUAL and not started_by_another(repository, deploy.pipeline):
        caller = deploy.pipeline.path.rpartition("/")[2] if deploy.step.path != deploy.pipeline.path else ""
        why = f"{caller}, which runs it, is started by hand alone" if caller else "it is started by hand alone"
        return holds(place, subject, why)
    gate = gate_of(repository, deploy)
    if gate:
        return holds(place, subject, gate)
    environment = _environment_of(deploy)
    if environment is not None:
        return _of_environment(repository, deploy, environment, stage)
    if stage is DeployStage.NOT_TOLD:
        why = "to which stage it deploys is not told"
        return unknown(place, subject, why, "environment: with the name of the stage")
    maybe = _may_be_gated(repository, deploy)
    if maybe:
        return unknown(place, subject, f"no gate is seen, but {maybe}", _ADVICE)
    return fails(place, subject, "it reaches production at once, with no gate before it", _fix(repository, deploy))


def _environment_of(deploy: Deploy) -> str | None:
    """The environment of the job, else the last one of those that end before it."""
    own = deploy.step.job.environment
    before = [job.environment for job in deploy.pipeline.jobs if job.is_before(deploy.step.job) and job.environment]
    return own if own is not None else before[-1] if before else None


def _of_environment(repository: RepositoryTexts, deploy: Deploy, name: str, stage: DeployStage) -> Verdict:
    place, subject = repository.where(deploy.step), deploy.step.subject
    if is_unknown(name):
        why = f"which environment {name[:60]} is, only a run knows"
        return unknown(place, subject, why, "a job for each stage, with its environment written out")
    known = repository.surroundings.environments
    if known is None:
        why = f"what the environment {name[:60]} asks stands at the forge"
        return unknown(place, subject, why, f"the service with the right to read it (Actions); {_SET}")
    asked = known[name.lower()].told if name.lower() in known else ""
    if asked:
        return holds(place, subject, f"the environment {name[:60]} is a gate: {asked}")
    if stage is DeployStage.PRODUCTION:
        return fails(place, subject, f"the environment {name[:60]} asks nothing before it", _SET)
    why = f"the environment {name[:60]} asks nothing, and whether it is production is not told"
    return unknown(place, subject, why, "an environment with the name of the stage")


def _may_be_gated(repository: RepositoryTexts, deploy: Deploy) -> str:
    """What may be a gate that is not read here, in words."""
    if started_by_another(repository, deploy.pipeline):
        return f"{started_by_another(repository, deploy.pipeline)} starts it, which may come after one"
    others = [job.remote for job in deploy.pipeline.remote_jobs if job.remote and job.is_before(deploy.step.job)]
    if others:
        return f"{first_few(others)} comes before it"
    started_by = sorted(deploy.step.events - TESTS_ONLY - _MANUAL)
    if not set(started_by) <= _UNASKED:
        return f"{first_few(started_by)} starts it, which may come after one"
    if why_no_schedule(deploy.pipeline):
        return "a tag starts it, which a person may have set"
    unread = [step.uses for step in deploy.pipeline.steps if step.unread and step.is_before(deploy.step)]
    if unread:
        return f"{first_few(unread)} comes before it"
    if looking := looks_at_rollout(deploy):
        return f"{looking} looks at a rollout, whose steps are not here"
    if has_admission(deploy) and not pods(repository):
        return "how it is rolled out stands in manifests that are not here"
    return ""


def _fix(repository: RepositoryTexts, deploy: Deploy) -> Fix:
    job = deploy.step.job
    try:
        check_own_workflow(deploy.pipeline, deploy.step)
        if job.may_write("id-token"):
            raise NotSpliceable("it signs in by OIDC, and the cloud has to know the environment's subject first")
        if job.mapping.mapping("strategy").get("matrix") is not None:
            raise NotSpliceable("its matrix may be of several stages")
        edits = edits_of(with_key(repository, job.mapping, "environment", ["production"], _ADVICE))
    except NotSpliceable as error:
        return Fix(_ADVICE, left_alone=str(error))
    return Fix(_ADVICE, suggested=edits)


RULE = Rule(
    "staged-rollout",
    "Deployments to production pass a gate",
    "What breaks is then met by one stage, and not by all users at once.",
    FindingSeverity.MEDIUM,
    judge,
)
