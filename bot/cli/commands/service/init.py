"""`init`: what the chosen way needs is asked, written down and tried."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.domain.ways import Way

if TYPE_CHECKING:
    from bot.settings.starting import Answers

T = TypeVar("T")
DEFAULT_FILE = Path("freshness.yaml")
LAPTOP = ("scan .", "update .", "audit .")
"""What there is to do in a checkout, without a settings file."""


class UpdateBotName(StrEnum):
    """Who hands base images over."""

    RENOVATE = "renovate"
    DEPENDABOT = "dependabot"


def init(
    file: Annotated[Path, typer.Option("--output", "-o", help="Where to write the settings.")] = DEFAULT_FILE,
    way: Annotated[Way | None, typer.Option(help="What the bot runs on.")] = None,
    github: Annotated[str | None, typer.Option(help="Where GitHub is, such as https://github.com.")] = None,
    app: Annotated[int | None, typer.Option(help="Id of the GitHub App; 0 for a token.")] = None,
    owners: Annotated[str | None, typer.Option(help="Organizations or owners, by commas; * for all.")] = None,
    channel: Annotated[str | None, typer.Option(help="Id of the Slack channel; - for none.")] = None,
    registries: Annotated[
        str | None, typer.Option(help="Registries of your own images, by commas; - for none.")
    ] = None,
    store: Annotated[str | None, typer.Option(help="sqlite:///PATH or postgresql://USER@HOST/NAME.")] = None,
    cves: Annotated[
        bool | None, typer.Option("--cves/--no-cves", help="Read the CVEs of packages from their publishers.")
    ] = None,
    azure_devops: Annotated[
        str | None, typer.Option(help="Organisations of Azure DevOps, by commas; - for none.")
    ] = None,
    projects: Annotated[
        str | None, typer.Option(help="Their projects that are read, ORGANISATION/PROJECT; * for all, - for none.")
    ] = None,
    secrets: Annotated[Path, typer.Option(help="Folder of the secrets' files.")] = Path("/run/secrets"),
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    action: Annotated[bool, typer.Option("--action", help="The same as --way action.")] = False,
    beside: Annotated[
        UpdateBotName | None,
        typer.Option(help="Have this bot leave .NET's base images, by its settings in this checkout."),
    ] = None,
) -> None:
    """Asks what the chosen way needs, and writes its file.

    On a laptop nothing is needed. For a container or a cluster it writes a settings file, and runs `config check`
    and `doctor` on it where secrets and a network are there; no secret is asked for. With --action it writes the
    one file that GitHub Actions needs, .github/workflows/freshness.yml, into the checkout that it is called in.
    With --beside it puts the lines that hand base images over into the settings of Renovate or Dependabot there,
    and does nothing else. What an option answers is not asked.

    Exit code 0 where the file is written; 1 where it is, and something is wrong, or where a person has to write the
    lines; 2 where an answer is not valid, and nothing is written then.

    Example: freshness-bot init --way container --owners contoso --app 12345
    """
    from bot.cli.commands.service.first_check import try_out
    from bot.cli.commands.service.handing_over import hand_over
    from bot.domain.failure import Failure, Trouble

    if beside is not None:
        hand_over(beside.value.capitalize())
        return
    questions = _Questions(github, app, owners, channel, registries, store, cves, secrets, azure_devops, projects)
    chosen = Way.ACTION if action else way
    if chosen in (None, Way.CONTAINER, Way.CLUSTER):
        questions.check()
        if file.exists() and not force:
            raise Failure(
                Trouble.DENIED, "there is a file already", where=str(file), advice="use --force, or --output"
            )
    if chosen is None:
        chosen = Way.CONTAINER if store is not None else _answered(_asked_way)
    if chosen is Way.LAPTOP:
        _tell_laptop()
    elif chosen is Way.ACTION:
        _answered(lambda: _write_workflow(app, force=force))
    else:
        answers = _answered(lambda: questions.answers(chosen))
        _write(file, answers)
        _tell_what_is_left(file, answers)
        try_out(file, answers)


def _answered(ask: Callable[[], T]) -> T:
    """What the answers to questions make; raises `Failure` where one was not answered."""
    import io
    import sys

    from bot.domain.failure import Failure, Trouble

    if sys.stdin is None:  # it was closed, and nobody can answer
        sys.stdin = io.StringIO()
    try:
        return ask()
    except typer.Abort as aborted:
        if isinstance(aborted.__context__, KeyboardInterrupt):
            raise typer.Exit(130) from aborted
        fault, advice = "a question was not answered", "answer it by its option, which --help tells"
        raise Failure(Trouble.MISSING, fault, advice=advice) from aborted


def _asked_way() -> Way:
    from bot.domain.failure import Failure, Trouble

    ways = ", ".join(Way)
    answer = typer.prompt(f"What the bot runs on ({ways})", default=Way.CONTAINER.value)
    if answer not in list(Way):
        raise Failure(Trouble.DENIED, f"there is no way {answer!r}", where="--way", advice=f"write one of {ways}")
    return Way(answer)


@dataclass(frozen=True, slots=True)
class _Questions:
    """What options have answered; None is still to be asked."""

    github: str | None
    app: int | None
    owners: str | None
    channel: str | None
    registries: str | None
    store: str | None
    cves: bool | None
    secrets: Path
    azure_devops: str | None
    projects: str | None

    def check(self) -> None:
        """Raises `Failure` where the bot cannot work with the forge that an option names, or nobody is called as an
        option says."""
        from bot.domain.failure import Failure, Trouble
        from bot.settings.starting import azure_defect, forge_defect, owner_defect

        if self.github is not None and (defect := forge_defect(self.github)) is not None:
            raise Failure(Trouble.DENIED, defect, where="--github")
        for owner in _listed(self.owners or ""):
            if (defect := owner_defect(owner)) is not None:
                raise Failure(Trouble.MALFORMED, defect, where="--owners")
        organizations, projects = _named(self.azure_devops or ""), _named(self.projects or "")
        if (defect := azure_defect(organizations, ())) is not None:
            raise Failure(Trouble.MALFORMED, defect, where="--azure-devops")
        is_open = self.azure_devops is None or projects == ("*",)
        if not is_open and (defect := azure_defect(organizations, projects)) is not None:
            raise Failure(Trouble.MALFORMED, defect, where="--projects")

    def answers(self, way: Way) -> "Answers":
        """Asks for the rest, as far as that way needs it: an App is told whose repositories it may see, and one
        container has its store beside it."""
        from dataclasses import replace

        from bot.settings.starting import GITHUB, NONE, Answers, own_registry
        from bot.upstream.traffic import in_words

        github = self.github or typer.prompt("Where is GitHub", default=GITHUB)
        replace(self, github=github).check()
        app = self.app
        if app is None:
            app = typer.prompt("Id of the GitHub App (0: a token is used)", default=0, type=int)
        owners = self.owners or ("*" if app else None)
        if owners is None:
            owners = typer.prompt("Whose repositories (organizations or owners, by commas)")
            replace(self, owners=owners).check()
        channel = self.channel or typer.prompt("Id of the Slack channel that is told (-: none)", default=NONE)
        registries = self.registries or typer.prompt(
            "Registries of your own images, by commas (-: none)", default=own_registry(github)
        )
        store = self.store or way.store
        if self.store is None and way is Way.CLUSTER:
            store = typer.prompt("Where to remember (or postgresql://USER@HOST/NAME)", default=store)
        cves = self.cves
        if cves is None:
            cves = typer.confirm(f"Read the CVEs of packages ({in_words()})", default=True)
        azure, projects = self._asked_of_azure()
        owner_names = tuple(name.removesuffix("/*") for name in _listed(owners))
        return Answers(
            github=github,
            app=app or None,
            owners=() if owner_names == ("*",) else owner_names,
            channel=None if channel == NONE else channel,
            store=store,
            secrets=self.secrets,
            way=way,
            registries=() if registries == NONE else _listed(registries),
            reads_cves=cves,
            azure=azure,
            projects=projects,
        )

    def _asked_of_azure(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The organisations of Azure DevOps, and those of their projects whose repositories are read."""
        from dataclasses import replace

        from bot.settings.starting import NONE

        azure = self.azure_devops or typer.prompt(
            "Organisations of Azure DevOps, by commas (-: none)", default=NONE
        )
        replace(self, azure_devops=azure).check()
        if not _named(azure):
            return (), ()
        question = "Their projects that are read, as organisation/project, by commas (*: all, -: pipelines alone)"
        projects = self.projects or typer.prompt(question, default="*")
        replace(self, azure_devops=azure, projects=projects).check()
        return _named(azure), _named(projects)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _named(text: str) -> tuple[str, ...]:
    from bot.settings.starting import NONE

    return () if text.strip() == NONE else _listed(text)


def _tell_laptop() -> None:
    from bot.cli.screen.output import print_line, print_sentence

    print_sentence("A laptop needs no settings. In a checkout:")
    for command in LAPTOP:
        print_line(f"  freshness-bot {command}")


def _write_workflow(app: int | None, *, force: bool) -> None:
    """Writes the file into the checkout that this is called in, and says what a person has to do besides."""
    from bot.cli.screen.output import print_line, print_sentence
    from bot.domain.failure import Failure, Trouble
    from bot.settings.action_workflow import PATH, still_to_do, workflow_text

    file = Path(PATH)
    if file.exists() and not force:
        raise Failure(Trouble.DENIED, "there is a file already", where=PATH, advice="use --force")
    with_app = (
        typer.confirm("With a GitHub App, for several repositories", default=True) if app is None else app > 0
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(workflow_text(with_app=with_app))
    except OSError as error:
        raise Failure(Trouble.DENIED, f"cannot be written: {error.strerror}", where=PATH) from error
    print_line(f"{PATH} is written. What is still to do:")
    for sentence in still_to_do(with_app=with_app):
        print_sentence(f"- {sentence}")


def _write(file: Path, answers: "Answers") -> None:
    """Writes what the loader takes; raises `BadSettings` with its lines where it takes it not."""
    import os
    import tempfile

    from bot.domain.failure import Failure, Trouble
    from bot.settings import BadSettings, load
    from bot.settings.starting import settings_text

    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=file.parent, prefix=f"{file.name}.", suffix=".new", delete=False
        ) as new_file:
            new_file.write(settings_text(answers, file.name))
        try:
            load(Path(new_file.name))
            os.replace(new_file.name, file)
        except BadSettings as bad:
            raise BadSettings([line.replace(new_file.name, str(file)) for line in bad.lines]) from None
        finally:
            Path(new_file.name).unlink(missing_ok=True)
    except OSError as error:
        raise Failure(Trouble.DENIED, f"cannot be written: {error.strerror}", where=str(file)) from error


def _tell_what_is_left(file: Path, answers: "Answers") -> None:
    from bot.cli.screen.output import print_line, print_sentence

    print_line(f"{file} is written. What is still to do:")
    for path, secret in answers.secret_files.items():
        done = " (there is a file already)" if path.exists() else ""
        print_sentence(f"- put {secret} into {path}{done}")
    if answers.way is Way.CONTAINER and answers.folder is not None and not answers.folder.is_dir():
        print_sentence(f"- make the folder {answers.folder}, where the bot remembers")
    if answers.way is Way.CONTAINER and not answers.secrets.is_dir():
        print_sentence(f"- see docs/which-way.md for the container in which your secrets are in {answers.secrets}")
    if answers.way is Way.CLUSTER:
        print_sentence(
            f"- put it into {answers.overlay}/freshness.yaml, and your image into kustomization.yaml there"
        )
    for host in answers.anonymous:
        print_sentence(
            f"- where images on {host} are private, give it username and password_file under `registries`"
        )
    if not answers.registries:
        print_sentence("- name under `registries`, beside mcr.microsoft.com, where your own images are")
    if answers.reads_cves:
        from bot.upstream.traffic import in_words

        print_sentence(f"- let the addresses of CVE data through: {in_words()}; estimated, not measured")
    else:
        print_sentence("- say under `vulnerabilities` whose CVEs of packages are read; now those of .NET alone")
