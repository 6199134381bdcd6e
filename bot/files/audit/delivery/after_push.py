"""What a run has put into use after its push, by what is not read here: a hook that it calls, and Terraform.

Sources: the manuals of curl, wget and PowerShell's `Invoke-WebRequest`; what Portainer, Coolify, Render, CapRover,
Dokploy and Watchtower say of their hooks, which take no message; the manuals of Terraform, OpenTofu and Terragrunt.
"""

import re
from collections.abc import Iterator

from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.sending import carries_body, sends
from bot.files.audit.delivery.templates import containers_in
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import joined_lines, without_comments
from bot.files.audit.workflows.model import Pipeline, PipelineStep
from bot.files.formats.shell.commands import commands
from bot.files.formats.source.expressions import as_variables
from bot.files.formats.source.nodes import Mapping, Scalar
from bot.files.formats.source.spanned import Spanned

_CALLS = re.compile(
    r"(?<![\w-])(?P<program>curl|wget|Invoke-WebRequest|Invoke-RestMethod|iwr|irm)(?![\w-])(?P<words>[^\n;|]*)",
    re.IGNORECASE,
)
_PIPE = re.compile(r"\|(?!\|)")
_CALLING_ACTION = re.compile(r"curl|web-?hook|http-?request")
_HOOK = re.compile(r"hook|deploy|/v1/update\b|portainer|coolify|dokploy|caprover|watchtower", re.IGNORECASE)
_OF_DEPLOY = re.compile(r"deploy|portainer|coolify|dokploy|caprover|watchtower", re.IGNORECASE)
_CODE_ALONE = re.compile(r"(?:^|\s)(?:-[A-Za-z]*[ow]|--output|--write-out)(?=[\s=\"']|$)")
"""An answer that is laid by, or of which the code alone counts."""
_TELLS_PEOPLE = re.compile(
    r"slack|discord|teams|telegram|mattermost|chat|notif|office\.com|status|coverage|codecov|sonar|sentry",
    re.IGNORECASE,
)
_APPLIES = re.compile(
    r"(?<![\w.-])(?P<program>terraform|tofu|terragrunt)(?:[ \t]+[^\s;&|]+){0,8}?[ \t]+apply(?![\w-])"
)
_APPLYING_ACTION = re.compile(r"(?:terraform|tofu|terragrunt)[\w-]*apply")
_IMAGE_GIVEN = re.compile(
    r"(?:-var[= ]|\bTF_VAR_)[\"']?\w*(?:image|tag|digest|container)\w*[\"']?[ \t]*[=:]", re.IGNORECASE
)
_GIVEN_TO_ACTION = re.compile(
    r"^[ \t]{0,80}[\"']?\w{0,80}(?:image|digest)\w{0,80}[\"']?[ \t]{0,80}=", re.IGNORECASE | re.MULTILINE
)
"""A variable of an image among those that an action is handed in one text."""
_TRIES = re.compile(r"-destroy\b|--?dry-run\b")


def started_after_push(repository: RepositoryTexts, pipeline: Pipeline, step: PipelineStep) -> str:
    """What a step may have put into use, in words; empty for nothing.

    Where no push is seen, that is only what Terraform is told of an image.
    """
    pushes = [each.step for each in deliveries(repository).pushes if each.pipeline is pipeline]
    program = _applies(step)
    if not pushes:
        return f"`{program} apply` is given an image" if program and _is_given_image(step) else ""
    if not any((each is step or each.is_before(step)) and each.events & step.events for each in pushes):
        return ""
    if hook := next(_hooks_called(step), ""):
        return f"`{hook}` calls a hook after the push"
    if program and _may_run_images(repository, step):
        return f"`{program} apply` comes after the push"
    return ""


def _is_given_image(step: PipelineStep) -> bool:
    """Whether a step of the job tells Terraform of an image, be it through an action."""
    for each in step.job.mapping.sequence("steps"):
        if isinstance(each, Mapping):
            run, given = each.scalar("run"), each.mapping("with").entries()
            texts = [value.value for _, value in given if isinstance(value, Scalar)]
            if any(map(_GIVEN_TO_ACTION.search, texts)) or (run is not None and _IMAGE_GIVEN.search(run.value)):
                return True
    return False


def _hooks_called(step: PipelineStep) -> Iterator[str]:
    """The programs or actions by which a step calls what looks like the hook of a deploy."""
    if _CALLING_ACTION.search(step.action):
        given = " ".join((*step.inputs.values(), *step.environment.values()))
        has_body = any(map(_carries_message, step.inputs)) or carries_body(("curl", *given.split()))
        if _is_hook(given, has_body=has_body):
            yield step.action
    script = _script(step)
    for call in _CALLS.finditer(script):
        words = _words(call[0])
        if not _reads_answer(script, call, words) and _is_hook(call["words"], has_body=carries_body(words)):
            yield call["program"]


def _words(call: str) -> tuple[str, ...]:
    """The words of a call, without those of the commands after it."""
    script = as_variables(call)
    each_words = (tuple(word.text for word in each.words) for each in commands(Spanned(script, range(len(script)))))
    return next(each_words, ())


def _reads_answer(script: str, call: re.Match[str], words: tuple[str, ...]) -> bool:
    """Whether a call asks for something alone: what comes back is read, and nothing is sent by it."""
    is_taken = script[: call.start()].rstrip().endswith("$(") or _PIPE.match(script, call.end()) is not None
    return is_taken and not (_CODE_ALONE.search(call["words"]) or sends(words))


def _carries_message(name: str) -> bool:
    return name.lower() in {"data", "body", "payload", "custom_args", "message"}


def _is_hook(words: str, *, has_body: bool) -> bool:
    """Whether what is called is a hook by its name that is given no message, as one for people would be; one that
    is called after a deploy may be told what to deploy."""
    if _TELLS_PEOPLE.search(words) or not _HOOK.search(words):
        return False
    return _OF_DEPLOY.search(words) is not None or not has_body


def _script(step: PipelineStep) -> str:
    """What a step runs, without comments, each command in one line."""
    run = step.mapping.scalar("run")
    return joined_lines(without_comments(run.value)) if run is not None else ""


def _applies(step: PipelineStep) -> str:
    """The program with which a step brings about what Terraform's files describe; empty for none."""
    found = _APPLIES.search(_script(step))
    if found is not None and not _TRIES.search(_script(step)):
        return found["program"]
    return "terraform" if _APPLYING_ACTION.search(step.action) else ""


def _may_run_images(repository: RepositoryTexts, step: PipelineStep) -> bool:
    """Whether the files describe containers, stand elsewhere, or are given an image by the job."""
    files = [path for path in repository.paths if path.endswith(".tf")]
    if not files or any(containers_in(repository, path) is not None for path in files):
        return True
    return any(_IMAGE_GIVEN.search(repository.text(path)) for path in {step.path, step.job.path})
