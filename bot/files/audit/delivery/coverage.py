"""Which pushes go without a scan, signature or statement that others get: by event, branch or tag of the run."""

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dict

from bot.files.audit.delivery.delivery import Attestation, ImageScan, Push, Signing
from bot.files.audit.delivery.pushing import undecided_flag
from bot.files.audit.workflows.contexts import of_event
from bot.files.audit.workflows.expressions import input_condition, truth
from bot.files.audit.workflows.model import Condition, PipelineStep
from bot.files.audit.workflows.refs import ANY_OTHER, refs_of_push


def left_out(push: Push, checks: Iterable[ImageScan | Signing | Attestation | PipelineStep]) -> str:
    """The event or ref whose run pushes, or may, while each of these steps is surely left out; empty for none.

    A ref that only begins as the filters or conditions say ends in an ellipsis.
    """
    steps = [each if isinstance(each, PipelineStep) else each.step for each in checks]
    missed = push.events.difference(*(step.events for step in steps)) if steps else ()
    if missed:
        return f"the event {min(missed)}"
    if not steps or "push" not in push.events:
        return ""
    pushing, others = _of_push(push), [each.conditions for each in steps]
    every = [*pushing, *(condition for conditions in others for condition in conditions)]
    values = {f"{number} {key}": value for number, each in enumerate(every) for key, value in each.values.items()}
    for ref in refs_of_push(push.pipeline.root, "\n".join(each.text for each in every), values):
        if ref and _may_run(pushing, ref) and not any(_may_run(each, ref) for each in others):
            return ref["github.ref"].replace(ANY_OTHER, "…")
    return ""


def _of_push(push: Push) -> tuple[Condition, ...]:
    """What must hold for a push, with the input that says whether the action does."""
    step, flag = push.step, undecided_flag(push.step)
    values = {f"env.{key.lower()}": value for key, value in step.environment.items()}
    return (*step.conditions, Condition(input_condition(flag), values)) if flag else step.conditions


def _may_run(conditions: Iterable[Condition], ref: Dict[str, str]) -> bool:
    return all(each is not False for each in _truths(conditions, ref))


def _truths(conditions: Iterable[Condition], ref: Dict[str, str]) -> Iterator[bool | None]:
    for each in conditions:
        yield truth(each.text, {**each.values, **of_event("push"), **ref})
