"""An image that the repository builds runs as a user that is not root.

What: the last USER of the final stage or of those below it, else the user of the base, is not root. .NET's chiseled
and distroless tags run as UID 1654; `USER $APP_UID` makes the others do so. Images that the SDK builds run as `app`
from .NET 8 on.

Why: where no manifest says otherwise, the image decides, on every engine.

Example that fails::

    FROM mcr.microsoft.com/dotnet/aspnet:8.0
    COPY . /app

Fix: `USER $APP_UID` as the last instruction but the entrypoint, or a chiseled base.

What the files do not tell, the configuration of the produced image does, where the fleet knows that image.

Exceptions: Windows images, and Dockerfiles of tests, samples and development containers, are asked nothing. Where
an entrypoint drops rights by itself (gosu, setpriv, su-exec) it is unknown.
"""

import re
from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Fix, Place
from bot.domain.repositories.usage import Edit, Role, Span
from bot.files.audit.delivery.building import targets
from bot.files.audit.images.by_dockerfile import user_of
from bot.files.audit.images.dockerfile import Dockerfile, dockerfiles
from bot.files.audit.images.stock import stock_image
from bot.files.audit.images.user import UserKind, settled
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.splicing.keys import is_generated
from bot.files.audit.verdict import Verdict, fails, holds, not_applicable, unknown
from bot.files.formats.dockerfile.stages import BuildStage
from bot.files.formats.dotnet import project
from bot.files.formats.dotnet.projects import PROJECT_ENDINGS

_OLDEST_WITH_USER = 8


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    targets_by_path = targets(repository)
    for file in dockerfiles(repository):
        stages = [
            stage
            for name in sorted(targets_by_path.get(file.path, ()))
            if (stage := file.stage(name) if name else file.final) is not None
        ]
        for stage in dict.fromkeys(stages or [file.final]):
            user = settled(user_of(file, stage, repository), repository.produced_from(file.path))
            place = file.place(user.where)
            subject = f"stage {stage.label}" if stage.name else "final stage"
            match user.kind:
                case UserKind.ROOT:
                    yield fails(place, subject, user.why, _fix(repository, file, stage))
                case UserKind.NUMBER | UserKind.NAME:
                    yield holds(place, subject, user.why)
                case UserKind.NOT_ASKED:
                    yield not_applicable(place, subject, user.why)
                case UserKind.UNKNOWN:
                    yield unknown(place, subject, user.why, user.settled_by)
    yield from _built_by_sdk(repository)


_BEFORE_APP_UID = re.compile(r"/dotnet/core/|:[1-7]\.\d")
"""Images of .NET before 8, which have no user of their own."""


def _fix(repository: RepositoryTexts, file: Dockerfile, stage: BuildStage) -> Fix:
    """A USER before the entrypoint, where the base has the user at hand. It is advice: files may belong to root."""
    image = file.chain(stage)[-1].image
    has_user = image is not None and "/dotnet/" in image.text and not _BEFORE_APP_UID.search(image.text)
    name = "$APP_UID" if has_user else "a number above 0"
    stock = stock_image(image.text) if image is not None else None
    advice = f"add USER {name} before the entrypoint, and see that the program writes only where that user may"
    if stock is not None and stock.instead:
        return Fix(stock.instead)
    starts = [each for each in file.of(stage) if each.keyword in {"entrypoint", "cmd"}]
    is_written = any(each.keyword == "user" for each in file.of(stage))
    runs_later = any(each.keyword == "run" and each.line > starts[0].line for each in file.of(stage) if starts)
    if not has_user or is_written or not starts or runs_later or is_generated(repository.text(file.path)):
        return Fix(advice)
    offset = repository.lines(file.path).start(starts[0].line)
    ending = "\r\n" if "\r\n" in repository.text(file.path) else "\n"
    return Fix(advice, suggested=(Edit(file.path, Span(offset, offset), f"USER $APP_UID{ending}"),))


def _built_by_sdk(repository: RepositoryTexts) -> Iterator[Verdict]:
    for path in repository.paths:
        if not path.endswith(PROJECT_ENDINGS) or not repository.scope.is_judged(path):
            continue
        text = repository.text(path)
        if "Container" not in text:
            continue
        for usage in project.find(path, text).usages:
            if usage.role is not Role.IMPLICIT_BASE:
                continue
            place, subject = Place(path, usage.line, usage.line), "image that the SDK builds"
            major = (usage.reference.tag or "").split(".")[0]
            if "<ContainerUser>" in text:
                user = text.partition("<ContainerUser>")[2].partition("<")[0].strip()
                if user in {"root", "0"}:
                    yield fails(place, subject, "ContainerUser is root", "remove ContainerUser")
                elif "$(" in user or not user:
                    yield unknown(place, subject, "ContainerUser is a property", "its value")
                else:
                    yield holds(place, subject, f"ContainerUser is {user[:60]}")
            elif major.isdecimal() and int(major) >= _OLDEST_WITH_USER:
                yield holds(place, subject, f"the SDK makes it run as app, on {usage.reference}")
            else:
                yield fails(
                    place,
                    subject,
                    f"{usage.reference} runs as root",
                    "move to a .NET that still gets fixes: its images have a user since .NET 8",
                )


RULE = Rule(
    "image-user",
    "Images run as another user than root",
    "Where no manifest says otherwise, the image decides.",
    FindingSeverity.HIGH,
    judge,
)
