"""What steps behind a push know of it: when it pushes, the id that tells its digest, and its image's name.

What is told is valid for GitHub, whichever suggestions of a job are taken together. `NotSpliceable` is raised where
a step would run otherwise than the push does, or could not name what is pushed.
"""

import re
from dataclasses import dataclass
from itertools import chain, count

from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.delivery.metadata_action import naming_step
from bot.files.audit.delivery.pushing import listed_names, repository_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.splicing.keys import NotSpliceable
from bot.files.audit.workflows.expressions import as_input_true
from bot.files.audit.workflows.model import PipelineStep
from bot.files.audit.workflows.shells import is_like_bash, runners_of, shell_of
from bot.files.formats.source.expressions import EXPRESSION
from bot.files.formats.source.nodes import Mapping

WITH_DIGEST = frozenset({"docker/build-push-action", "depot/build-push-action", "useblacksmith/build-push-action"})
"""Actions that tell the digest of what they have pushed."""
_IDS = ("build", "push", "image", "build-image", "pushed-image")
_IS_NAME = re.compile(r"[\w.:-]+(?:/[\w.-]+)*")
_SECRETS = re.compile(r"\bsecrets\b", re.IGNORECASE)
_ENVIRONMENT = re.compile(r"\benv\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PushedImage:
    """What is pushed, as steps can name it: `name` as it is written and `digest` as the step `step_id` tells it.

    `variable` is the name in small letters where `IMAGE` holds it, `small_name` what `in_small_letters` makes.
    """

    step_id: str
    name: str
    variable: str
    small_name: str
    in_small_letters: tuple[list[str], ...]

    @property
    def digest(self) -> str:
        return f"${{{{ steps.{self.step_id}.outputs.digest }}}}"


def pushed_image(repository: RepositoryTexts, push: Push, word: str) -> PushedImage:
    """The image of a push. `word` is the id of the step that writes its name in small letters, if one must.

    metadata-action does so, and all others refuse a name with capitals, which those of people often have.
    """
    step_id = push.step.id or _new_id(repository, push, *_IDS)
    name, is_made_small = written_name(push)
    if not is_made_small:
        return PushedImage(step_id, name, "${IMAGE}", name, ())
    small_id = _new_id(repository, push, word)
    small = [
        "- name: Write the image's name in small letters",
        f"  id: {small_id}",
        *shell_lines(push),
        "  env:",
        f"    IMAGE: {name}",
        '  run: echo "name=${IMAGE,,}" >> "$GITHUB_OUTPUT"',
    ]
    return PushedImage(step_id, name, "${IMAGE,,}", f"${{{{ steps.{small_id}.outputs.name }}}}", (small,))


def shell_lines(push: Push) -> list[str]:
    """The key that gives a step bash, where it would get another shell or one that nobody knows."""
    around = (Mapping(0), push.step.job.mapping, push.pipeline.root)
    shell = shell_of(around, {})
    may_be_on_windows = any(
        "${{" in label or label.lower().startswith("windows")
        for label in (*push.step.job.runners, *runners_of(push.step.job.mapping, {}))
    )
    return [] if is_like_bash(shell) and (shell or not may_be_on_windows) else ["  shell: bash"]


def _new_id(repository: RepositoryTexts, push: Push, *preferred_ids: str) -> str:
    """An id that no step of the push's job has, and that no suggestion gives for another push of it.

    Beside other pushes it ends in the name of the image.
    """
    taken = {each.id for each in push.pipeline.steps if each.job is push.step.job}
    pushes_by_step = {
        each.step: each
        for each in deliveries(repository).pushes
        if each.step.job is push.step.job and each.step.action in WITH_DIGEST
    }
    if len(pushes_by_step) < 2:
        return _first_free(taken, preferred_ids)
    for step, other in pushes_by_step.items():
        step_id = _first_free(taken, ("-".join(filter(None, (preferred_ids[0], _last_word(other)))),))
        if step is push.step:
            return step_id
        taken.add(step_id)
    return _first_free(taken, preferred_ids)


def _first_free(taken: set[str], preferred_ids: tuple[str, ...]) -> str:
    numbered = (f"{preferred_ids[0]}-{number}" for number in count(2))
    return next(each for each in chain(preferred_ids, numbered) if each not in taken)


def _last_word(push: Push) -> str:
    """The last part of the image's name as it is written, as far as an id can have it; empty for an expression."""
    try:
        name, _ = written_name(push)
    except NotSpliceable:
        return ""
    last = EXPRESSION.sub("", name).rpartition("/")[2].lower()
    return re.sub(r"[^a-z\d]+", "-", last).strip("-")


def condition_of(push: Push) -> str:
    """When the step pushes, as an expression; empty where it always does."""
    if push.step.mapping.get("continue-on-error") is not None:
        raise NotSpliceable("the step that pushes may fail without ending the run")
    own = push.step.mapping.scalar("if")
    pushes = push.step.mapping.mapping("with").scalar("push")
    parts = []
    if own is not None:
        parts.append(_inner(own.value) or own.value.strip())
    if pushes is not None and pushes.value.strip().lower() != "true":
        inner = _inner(pushes.value)
        if inner is None:
            raise NotSpliceable("when it pushes is put together from several expressions")
        parts.append(as_input_true(inner))
    if any("\n" in part for part in parts):
        raise NotSpliceable("when it pushes is written over several lines")
    if any("${{" in part for part in parts):
        raise NotSpliceable("when it pushes is put together from several expressions")
    if any(map(_SECRETS.search, parts)):
        raise NotSpliceable("when it pushes hangs on secrets, which the condition of a step may not name")
    if push.step.mapping.get("env") is not None and any(map(_ENVIRONMENT.search, parts)):
        raise NotSpliceable("when it pushes hangs on an environment of its own")
    joined = " && ".join(f"({part})" for part in parts) if len(parts) > 1 else "".join(parts)
    return _scalar(f"${{{{ {joined} }}}}") if joined else ""


def _scalar(text: str) -> str:
    """An expression as YAML has it: in quotes where it would end early, or be a mapping, without."""
    return "'{}'".format(text.replace("'", "''")) if " #" in text or ": " in text else text


def _inner(text: str) -> str | None:
    match = EXPRESSION.fullmatch(text.strip())
    return match["inside"].strip() or None if match is not None else None


def written_name(push: Push) -> tuple[str, bool]:
    """What is pushed as it is written, without tags, and whether metadata-action makes its letters small.

    Where no expression stands in it, it is written in small letters.
    """
    metadata_step, names = _naming(push)
    name = names[0] if names else ""
    if not name or "=" in name or EXPRESSION.fullmatch(name) or not _IS_NAME.fullmatch(EXPRESSION.sub("x", name)):
        raise NotSpliceable("which image it pushes is known only in a run")
    if push.step.mapping.get("env") is not None and _ENVIRONMENT.search(name):
        raise NotSpliceable("the name of what it pushes hangs on an environment of its own")
    is_made_small = metadata_step is not None and EXPRESSION.search(name) is not None
    return name.lower() if metadata_step is not None and not is_made_small else name, is_made_small


def known_name(push: Push) -> str:
    """The same with what is written down of the values of its expressions; empty where no name is written."""
    metadata_step, names = _naming(push)
    step, key = (push.step, "tags") if metadata_step is None else (metadata_step, "images")
    known = [_without_tag(each) for each in listed_names(step.input(key))]
    return known[0] if names and known else ""


def _naming(push: Push) -> tuple[PipelineStep | None, list[str]]:
    """The step of metadata-action that names what is pushed, if one does, and the names as they are written there
    or at the push itself."""
    tags = push.step.mapping.mapping("with").scalar("tags")
    names = listed_names(tags.value) if tags is not None else ()
    step = naming_step(push.pipeline, push.step, names[0]) if names else None
    if step is None:
        return None, [repository_of(each) for each in names]
    images = step.mapping.mapping("with").scalar("images")
    return step, [each.removeprefix("name=") for each in listed_names(images.value)] if images is not None else []


def _without_tag(name: str) -> str:
    return repository_of(name.removeprefix("name="))
