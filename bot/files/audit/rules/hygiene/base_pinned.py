"""A base follows a minor version: neither everything that comes, nor one patch for good.

What: no FROM of an image from elsewhere names `latest`, an operating system alone (`node:alpine`) or a day
(`debian:trixie-20260101`). .NET's images and Docker's official ones are named by their minor version (`10.0`,
`10.0-noble-chiseled`), Java's by the major one. A digest follows the tag beside it: beside `latest` it holds,
beside a patch it is that patch for good.

Example that fails::

    FROM mcr.microsoft.com/dotnet/aspnet:10.0.1

Fix: `mcr.microsoft.com/dotnet/aspnet:10.0`, rebuilt weekly.

Exceptions: unknown are names that only a build tells, what an archive may hold that the job loads, and a patch or a
day whose publisher may have no tag that follows. `latest` holds where the repository's name tells the version
(`…/static-debian12`). What a step before makes and pushes nowhere is asked nothing, nor what is built here under a
name without a registry. Dockerfiles of tests and samples are not asked.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from bot.domain.reference import InvalidReference, Reference
from bot.domain.repositories.finding import FindingSeverity, Fix, Outcome, Place
from bot.domain.repositories.usage import Edit, Role, Span
from bot.domain.tags.tag import Tag
from bot.domain.tags.words import names_system
from bot.files.audit.delivery.building import builds_of, dockerfile_of
from bot.files.audit.delivery.built_by_scripts import may_be_built_by_make
from bot.files.audit.delivery.built_images import built_locally
from bot.files.audit.delivery.deliveries import BUILDKIT_ACTIONS, deliveries
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.delivery.engine_images import base_in_engine
from bot.files.audit.delivery.pushing import option_values, repository_of
from bot.files.audit.images.by_name import ended_on, is_dotnet, tag_of, what_settles
from bot.files.audit.images.dockerfile import Dockerfile, dockerfiles
from bot.files.audit.images.publishers import (
    has_minor_tags,
    is_of_red_hat,
    is_preview,
    is_update_of_java,
    keeps_to_its_name,
    tag_with_fixes,
    tag_without_date,
    versioned,
)
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.splicing.keys import GENERATED, is_generated
from bot.files.audit.verdict import Verdict, fails, holds, not_applicable, unknown
from bot.files.formats.dockerfile import finder
from bot.files.formats.dockerfile.stages import BuildStage
from bot.files.formats.dotnet import global_json
from bot.files.scope import DELIVERING_KINDS

_FULL = 3
_FOR_GOOD = ("never gets a fix", "never gets the next")
"""How it is said that a tag stands for one build or update, which a digest beside it does not mend."""
_VARIANTS = frozenset(
    {"slim", "minimal", "fpm", "cli", "perl", "management", "apache", "zts", "jdk", "jre", "wine"}
)
_MOVING = frozenset(
    {"lts", "stable", "current", "edge", "nightly", "main", "master", "mainline", "rolling", "canary", "next", "ci"}
    | {"dev", "devel", "develop", "development", "snapshot", "trunk", "head", "unstable"}
)
_DAY = re.compile(r"20\d{6}(?:\.\d+)*")
_WORST = (Outcome.FAILS, Outcome.UNKNOWN, Outcome.HOLDS)
_ARGUMENT = re.compile(r"\$(?:\{(?P<braced>\w+)(?::?[-+][^}]*)?\}|(?P<plain>[A-Za-z_]\w*))")
_ONLY_ARGUMENT = re.compile(r"\$(?:\{(?=\w+\}))?(?P<name>[A-Za-z_]\w*)\}?")
_BUILD_STAMP = re.compile(r"^v?\d+(?:\.\d+)*[-.](?:\d+\.)?1[5-9]\d{8}$")
"""A version and the second of its build, as Red Hat's tags have it."""
_AS_THEY_COME = "newer ones as they come"
_MINOR = re.compile(r"\d+\.\d+(?=\.\d)")
_REBUILD = re.compile(r"^-\d+(?=-|$)")
"""The number of a patch's rebuild, which Microsoft writes behind it: `6.0.400-1-alpine3.16`."""
_LAST_OF_MINOR = 999
"""The third number of an SDK that is newer than all of its minor version."""
_OF_ONE_UPDATE = re.compile(r"(?:^|-)(?:CU|GDR)\d+(?:-|$)", re.IGNORECASE)
"""Cumulative and other single updates, as SQL Server's tags name them."""


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for file in dockerfiles(repository):
        spans = {
            (usage.statement or usage.line): usage
            for usage in finder.find(file.path, repository.text(file.path)).usages
            if usage.role in {Role.BUILD_STAGE, Role.FINAL_STAGE}
        }
        for stage in file.stages:
            if stage.image is None:
                continue
            place, subject = file.place(stage.instruction), f"stage {stage.label} · {stage.image.text[:120]}"
            try:
                reference = Reference.parse(stage.image.text)
            except InvalidReference:
                yield unknown(
                    place,
                    f"stage {stage.label}",
                    f"{stage.word.text[:80]} is known only in a build",
                    what_settles(stage.word.text),
                )
                continue
            if reference.tag is None and reference.digest is None and (by := _handed_over(repository, stage)):
                why = f"{by} hands over which image it is, and {stage.image.text[:80]} is only what stands for one"
                yield unknown(place, subject, why, "the image that the build hands over")
                continue
            usage = spans.get(stage.instruction.line)
            span = usage.tag_span if usage is not None else None
            is_of_program = is_generated(repository.text(file.path))
            left_alone = GENERATED if is_of_program else _held_to_band(repository, reference)
            own = _judge_reference(reference, place, subject, span, left_alone)
            if own.outcome is not Outcome.HOLDS and (
                made := _made_here(repository, file.path, str(reference), own)
            ):
                yield made
                continue
            given = list(_given_by_builds(repository, file, stage, own))
            yield min((*given, own), key=lambda each: _WORST.index(each.outcome)) if given else own


def _made_here(repository: RepositoryTexts, path: str, image: str, own: Verdict) -> Verdict | None:
    """The verdict on an image that comes, or may come, from no registry: the job that builds the Dockerfile gives
    it to its engine, or a script or Compose file here builds it."""
    if given := base_in_engine(repository, path, image):
        if given.names:
            return not_applicable(own.place, own.subject, f"{given.by} makes it in the run itself")
        why = f"{given.by} loads an archive before the build, and whether it holds {image[:80]} is not told"
        return unknown(own.place, own.subject, why, "the name of the image that is loaded")
    built = built_locally(repository, image)
    maybe = may_be_built_by_make(repository, repository_of(image)) if built is None else None
    if maybe not in {None, path}:
        why = f"a Makefile here may build it, from {maybe}, under a name that is put together of variables"
        return unknown(own.place, own.subject, why, "the name that it builds it under")
    if built in {None, path}:
        return None
    if "/" not in image:
        return not_applicable(own.place, own.subject, f"it is built here, from {built}")
    why = f"it is built here, from {built}, and whether a registry gives another one is not told"
    return unknown(own.place, own.subject, why, "the step that builds it before, or a version of it")


def _given_by_builds(
    repository: RepositoryTexts, file: Dockerfile, stage: BuildStage, own: Verdict
) -> Iterator[Verdict]:
    """What there is to say of the image with what each push gives the arguments in its name, beside `own`."""
    for push in deliveries(repository).pushes:
        path = dockerfile_of(push)
        given = _arguments_given(push) if path in {None, file.path} else {}
        word = _filled(stage.word.text, given)
        if word == stage.word.text:
            continue
        names = (each["braced"] or each["plain"] for each in _ARGUMENT.finditer(stage.word.text))
        source, name = push.step.path, next(each for each in names if each in given)
        try:
            verdict = _judge_reference(Reference.parse(word), own.place, own.subject, None, "")
        except InvalidReference:
            yield unknown(
                own.place, own.subject, f"{source} gives {name}, which only a run knows", "the value written out"
            )
            continue
        if verdict.message == own.message:
            continue
        fix = verdict.fix if verdict.fix is None else Fix(f"{verdict.fix.advice}, by {name} in {source}")
        yield replace(verdict, message=f"{source} gives {name}: {verdict.message}", fix=fix)


def _filled(word: str, given: Mapping[str, str]) -> str:
    return _ARGUMENT.sub(lambda match: given.get(match["braced"] or match["plain"], match[0]), word)


def _arguments_given(push: Push) -> dict[str, str]:
    """The build arguments that a push writes out, or takes from what only a run knows."""
    lines = push.step.input("build-args").splitlines() if push.step.action in BUILDKIT_ACTIONS else []
    lines += [each for _, command in builds_of(push) for each in option_values(command.words, "--build-arg")]
    pairs = (line.strip().partition("=") for line in lines if "=" in line)
    return {name: value.strip() for name, _, value in pairs}


def _held_to_band(repository: RepositoryTexts, reference: Reference) -> str:
    """Why an SDK's image keeps its patch: a global.json takes no SDK of another feature band, which the tag of the
    minor version comes to hold; empty where none does so."""
    minor = _MINOR.match(reference.tag or "")
    if minor is None or not str(reference).startswith(global_json.SDK):
        return ""
    paths = (path for path in repository.paths if path.rpartition("/")[2] == "global.json")
    pins = ((path, global_json.pin(repository.text(path))) for path in paths)
    holding = (path for path, pin in pins if pin is not None and not pin.accepts(f"{minor[0]}.{_LAST_OF_MINOR}"))
    path = next(holding, "")
    return f"{path} asks for an SDK of one feature band, which that tag may leave" if path else ""


def _handed_over(repository: RepositoryTexts, stage: BuildStage) -> str:
    """The file with a build that gives the argument a value which is all of the image's name; empty for none."""
    match = _ONLY_ARGUMENT.fullmatch(stage.word.text)
    if match is None:
        return ""
    given = re.compile(rf"(?<![\w.-]){match['name']}[\"']?[ \t]*[:=]")
    paths = (path for path in repository.paths if repository.kind(path) in DELIVERING_KINDS)
    return next((path for path in paths if given.search(repository.text(path))), "")


def _judge_reference(
    reference: Reference, place: Place, subject: str, span: Span | None, left_alone: str
) -> Verdict:
    text = str(reference)
    if reference.digest is not None:
        if reference.tag is None:
            why = "a digest without a tag names no version to follow"
            return unknown(place, subject, why, "the tag, written before the digest")
        pinned = _judge_reference(replace(reference, digest=None), place, subject, span, left_alone)
        is_one_for_good = pinned.outcome is Outcome.FAILS and pinned.message.endswith(_FOR_GOOD)
        return (
            pinned
            if is_one_for_good or pinned.outcome is Outcome.UNKNOWN
            else holds(place, subject, "a digest beside its tag follows the tag")
        )
    if (reference.tag is None or "latest" in reference.tag) and keeps_to_its_name(reference):
        return holds(place, subject, "its name tells the version that it follows")
    if reference.tag is None or reference.tag == "latest":
        message = "no tag is written, which means latest" if reference.tag is None else "latest brings any version"
        return fails(place, subject, message, versioned(reference))
    words = reference.tag.lower().split("-")
    if words[0] in _MOVING and any(map(_DAY.fullmatch, words)):
        why = f"{reference.tag} is of one day, and never gets a fix"
        return fails(place, subject, why, versioned(reference))
    if words[0] in _MOVING or ("latest" in words and not any(map(str.isdigit, reference.tag))):
        return fails(place, subject, f"{reference.tag} brings any version", versioned(reference))
    tag = tag_of(text)
    if not is_dotnet(text) or tag is None:
        return _judge_other_reference(reference, tag, place, subject)
    if tag.precision >= _FULL and "preview" not in reference.tag and "rc" not in reference.tag:
        numbers = reference.tag.partition("-")[0]
        minor = ".".join(numbers.split(".")[:2])
        floating_tag = minor + _REBUILD.sub("", reference.tag[len(numbers) :])
        is_plain = span is not None and re.fullmatch(r"\d+\.\d+\.\d+", numbers) is not None
        is_safe = is_plain and not left_alone
        edits = (Edit(place.path, span, floating_tag),) if is_safe and span is not None else ()
        fix = Fix(f"write {floating_tag}", edits, left_alone)
        return fails(place, subject, f"{reference.tag} is one patch, which never gets a fix", fix)
    if tag.precision == 1:
        return fails(
            place,
            subject,
            f"{reference.tag} brings any minor version",
            "write the minor version that the program targets",
        )
    ended = f", with fixes until {day}" if (day := ended_on(text)) else ""
    return holds(place, subject, f"it follows {reference.tag}{ended}")


def _judge_other_reference(reference: Reference, tag: Tag | None, place: Place, subject: str) -> Verdict:
    """Of images that are not .NET's: an official one has a tag for each minor version, others may have."""
    name = str(reference.tag)
    if _OF_ONE_UPDATE.search(name):
        why = f"{name} is one update, which never gets the next"
        year = re.match(r"20\d\d(?=-)", name)
        return fails(
            place, subject, why, f"write the tag that follows them, such as {year[0] if year else '2022'}-latest"
        )
    if _BUILD_STAMP.search(name):
        advice = "leave the build's number out"
        advice = (
            advice if is_of_red_hat(reference) else f"{advice}, where there is such a tag; else {_AS_THEY_COME}"
        )
        return fails(place, subject, f"{name} is one build, and never gets a fix", advice)
    if not is_update_of_java(reference):
        if tag is None:
            return holds(place, subject, f"it follows {name}")
        if tag.is_dated:
            return _judge_dated(reference, place, subject)
        if _names_system_alone(reference):
            advice = f"write {'the minor' if has_minor_tags(reference) else 'a'} version before it"
            return fails(place, subject, f"{name} brings any version", advice)
        if tag.precision < _FULL:
            return holds(place, subject, f"it follows {name}")
    if has_minor_tags(reference) and is_preview(reference):
        advice = "write the minor version once it is released, or the last one that is"
        return fails(place, subject, f"{name} is one preview, which never gets a fix", advice)
    if followed := tag_with_fixes(reference) or tag_without_date(reference):
        return fails(place, subject, f"{name} is one patch, which never gets a fix", f"write {followed} instead")
    why = f"{name} is one patch; whether there is a tag for its minor version is not known here"
    return unknown(place, subject, why, "a tag for the minor version, or a digest that is kept up to date")


def _judge_dated(reference: Reference, place: Place, subject: str) -> Verdict:
    """Of a tag that names a day: its publisher may have one that follows the days, or nothing but days."""
    name = str(reference.tag)
    if followed := tag_without_date(reference):
        return fails(place, subject, f"{name} is of one day, and never gets a fix", f"write {followed} instead")
    why = f"{name} is of one day; whether there is a tag without a date is not known here"
    return unknown(place, subject, why, f"a tag without a date, or {_AS_THEY_COME}")


def _names_system_alone(reference: Reference) -> bool:
    """`node:alpine`, `python:slim`: whichever version there is on that system or in that variant.

    Of a system's own image the tag names its release.
    """
    if any(map(names_system, reference.repository.split("/"))) or reference.repository.endswith("buildpack-deps"):
        return False
    words = str(reference.tag).lower().split("-")
    return all(names_system(word) or word in _VARIANTS for word in words)


RULE = Rule(
    "base-pinned",
    "Bases follow a minor version",
    "`latest` brings major versions unasked, and one patch never gets the next fix.",
    FindingSeverity.MEDIUM,
    judge,
)
