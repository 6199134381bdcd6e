"""Which workflows a fleet is rebuilt by, and how old the last success of each may become."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.bases.change import Cause
from bot.domain.reference import Base
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.rollouts.policy import ActionPreference, Policy, Terms
from bot.domain.rollouts.terms import PathWorkflow

BaseInFile = tuple[Base, str]
"""A base, and the path of a file that names it."""


@dataclass(frozen=True, slots=True)
class Guarantee:
    """What holds for the builds of one workflow; `terms.max_age` is None where none is guaranteed.

    `told_only` says who wants nothing started, None where nobody does. `parts` are those of a monorepo that it
    builds, none where it builds the whole.
    """

    terms: Terms
    told_only: str | None = None
    parts: tuple[PathWorkflow, ...] = ()

    @property
    def max_age(self) -> timedelta | None:
        return self.terms.max_age


def guarantees(
    repository: str, config: RepositoryConfig, places: Iterable[BaseInFile], policy: Policy
) -> Mapping[str, Guarantee]:
    """Says how old builds may grow, by the file name of each workflow that rebuilds bases named in these places.

    Of several bases that ask for different ages the shortest holds, with the terms of its rule.
    """
    terms_by_workflow: dict[str, Terms] = {}
    parts: dict[str, dict[PathWorkflow, None]] = {}
    for base, path in sorted(places):
        terms = policy.terms(repository, base, Cause.AGE, None)
        workflow = config.workflow_of(path, terms)
        if (part := config.part_of(path, terms)) is not None:
            parts.setdefault(workflow, {})[part] = None
        strictest = terms_by_workflow.get(workflow)
        if strictest is None or _is_stricter(terms.max_age, strictest.max_age):
            terms_by_workflow[workflow] = terms
    return {
        workflow: Guarantee(terms, _told_only(config, terms), tuple(parts.get(workflow, ())))
        for workflow, terms in terms_by_workflow.items()
    }


def rebuilding_workflow(repository: str, config: RepositoryConfig, place: BaseInFile, policy: Policy) -> str:
    """The file name of the workflow that rebuilds what names a base there."""
    base, path = place
    return config.workflow_of(path, policy.terms(repository, base, Cause.AGE, None))


def _is_stricter(age: timedelta | None, than: timedelta | None) -> bool:
    return age is not None and (than is None or age < than)


def _told_only(config: RepositoryConfig, terms: Terms) -> str | None:
    if config.refusal is not None:
        return config.refusal
    if config.action is ActionPreference.NOTIFY:
        return "the repository asks to be told only"
    if config.action is None and terms.action is ActionPreference.NOTIFY:
        return "the policy asks to notify only"
    return None
