"""What expressions in a workflow may refer to: inputs, environment, and the event of the run."""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dict

from bot.files.audit.workflows.expressions import as_text, filled, truth
from bot.files.audit.workflows.model import CLOSED
from bot.files.audit.workflows.refs import refs_of_push, refs_of_schedule
from bot.files.formats.source.nodes import Mapping, Node, Scalar

_ASSIGNED = re.compile(r"\b([A-Za-z_]\w*)(?:=|<<)")


def inputs_of(node: Mapping, values: Dict[str, str]) -> dict[str, str]:
    return {
        key.value: filled(value.value, values)
        for key, value in node.mapping("with").entries()
        if isinstance(value, Scalar) and not value.is_null
    }


def outputs_of(name: str, job: Mapping, values: Dict[str, str]) -> dict[str, str]:
    """What a job that always runs hands to those that need it, as far as no step of it tells."""
    known = without_written(with_environment(job, values), job)
    told = {
        f"needs.{name}.outputs.{key.value}".lower(): filled(value.value, known)
        for key, value in job.mapping("outputs").entries()
        if isinstance(value, Scalar) and not value.is_null
    }
    return {key: value for key, value in told.items() if not _OF_JOB.search(value)}


_OF_JOB = re.compile(r"\b(?:steps|matrix|strategy|job|runner|env|needs|inputs)\.", re.IGNORECASE)
"""Contexts that say something else, or nothing, in another job."""


def with_environment(node: Mapping, values: Dict[str, str]) -> dict[str, str]:
    environment = dict(values)
    for key, value in node.mapping("env").entries():
        if isinstance(value, Scalar):
            environment[f"env.{key.value}"] = filled(value.value, _with_lower_names(environment))
    return _with_lower_names(environment)


def without_written(values: Dict[str, str], job: Mapping) -> dict[str, str]:
    """Drops the variables that a step of the job may write for those after it."""
    scripts = [step.scalar("run") for step in job.sequence("steps") if isinstance(step, Mapping)]
    texts = [script.value for script in scripts if script is not None and "GITHUB_ENV" in script.value.upper()]
    names = {f"env.{name.lower()}" for text in texts for name in _ASSIGNED.findall(text)}
    return {key: value for key, value in values.items() if key.lower() not in names}


def _with_lower_names(values: Dict[str, str]) -> dict[str, str]:
    """Contexts are found whatever their case; the shell's variables keep theirs beside it."""
    return {**{key.lower(): each for key, each in values.items() if "${{" not in each}, **values}


def default_inputs(root: Mapping, trigger: str | None) -> dict[str, str]:
    """What inputs hold that nobody gives, and which are texts: those of an action, without a trigger, all."""
    holder = root if trigger is None else root.mapping("on").mapping(trigger)
    inputs: dict[str, str] = {}
    for key, declared in holder.mapping("inputs").entries():
        name = f"inputs.{key.value.lower()}"
        if trigger is None or _kind_of(declared) not in {"boolean", "number"}:
            inputs[as_text(name)] = ""
        default = declared.scalar("default") if isinstance(declared, Mapping) else None
        required = is_true(declared.scalar("required")) if isinstance(declared, Mapping) else False
        if default is not None and "${{" not in default.value:
            inputs[name] = default.value
        elif default is None and not required:
            inputs[name] = "false" if _kind_of(declared) == "boolean" else ""
    return inputs


def _kind_of(declared: Node) -> str:
    kind = declared.scalar("type") if isinstance(declared, Mapping) else None
    return kind.value if kind is not None else "string"


def is_true(node: Scalar | None) -> bool:
    return node is not None and node.value.lower() == "true"


def flag_of(node: Mapping, key: str, values: Dict[str, str]) -> bool | None:
    scalar = node.scalar(key)
    return False if scalar is None else truth(scalar.value, values)


def narrowed_events(
    events: frozenset[str], condition: str, values: Dict[str, str], started: Mapping, *, surely: bool = False
) -> frozenset[str]:
    """Those events for which the condition may hold, or `surely` does. `started` is what they start."""
    if not condition:
        return events
    return frozenset(
        event
        for event in events
        if (_surely_holds if surely else _may_hold)(_truths(event, condition, values, started))
    )


def _may_hold(truths: Iterable[bool | None]) -> bool:
    return any(each is not False for each in truths)


def _surely_holds(truths: Iterable[bool | None]) -> bool:
    return all(each is True for each in truths)


def _truths(event: str, condition: str, values: Dict[str, str], started: Mapping) -> Iterator[bool | None]:
    """Whether the condition holds, for each ref that the run can be of."""
    refs: list[dict[str, str]] = [{}]
    if "github.ref" not in values and event in {"push", "schedule"}:
        of_push = event == "push"
        refs = refs_of_push(started, condition, values) if of_push else refs_of_schedule(condition, values)
    context = {**values, **of_event(event)}
    return (truth(condition, {**context, **ref}) for ref in refs)


def of_event(event: str) -> dict[str, str]:
    """What GitHub's context holds in a run for an event, as far as that is the same for each."""
    if event.endswith(CLOSED):
        # Whether it was merged, GitHub tells: what comes of one that was not is about no accepted change.
        of_merge = {"github.event.action": "closed", "github.event.pull_request.merged": "true"}
        return {"github.event_name": event.removesuffix(CLOSED), **of_merge}
    context = {"github.event_name": event}
    if event == "workflow_call":
        return {}
    if event in {"pull_request", "merge_group"}:
        context |= {
            "github.ref": f"refs/{'pull' if event == 'pull_request' else 'heads/gh-readonly-queue'}/0/merge"
        }
        context |= {"github.ref_type": "branch", "github.ref_name": "0/merge"}
    if event == "schedule":
        context |= {"github.ref_type": "branch"}
    if event not in {"release"}:
        context |= {"github.event.release.prerelease": ""}
    if event not in {"pull_request", "pull_request_target"}:
        context |= {"github.head_ref": "", "github.base_ref": ""}
    return context
