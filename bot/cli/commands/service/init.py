"""`init`: five questions, and a settings file to begin with."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bot.settings.starting import Answers

DEFAULT_FILE = Path("freshness.yaml")


def init(
    file: Annotated[Path, typer.Option("--output", "-o", help="Where to write the settings.")] = DEFAULT_FILE,
    github: Annotated[str | None, typer.Option(help="Where GitHub is, such as https://github.com.")] = None,
    app: Annotated[int | None, typer.Option(help="Id of the GitHub App; 0 for a token.")] = None,
    owners: Annotated[str | None, typer.Option(help="Organizations or owners, by commas; * for all.")] = None,
    channel: Annotated[str | None, typer.Option(help="Id of the Slack channel; - for none.")] = None,
    store: Annotated[str | None, typer.Option(help="sqlite:///PATH or postgresql://USER@HOST/NAME.")] = None,
    secrets: Annotated[Path, typer.Option(help="Folder of the secrets' files.")] = Path("/run/secrets"),
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    action: Annotated[
        bool, typer.Option("--action", help="Write the workflow that runs the bot in GitHub Actions instead.")
    ] = False,
) -> None:
    """Asks five questions and writes a settings file.

    What an option answers is not asked. It then says which secret belongs into which file; no secret is asked for.
    With --action it asks one question, and writes the one file that GitHub Actions needs, into the checkout that it
    is called in: .github/workflows/freshness.yml.

    Exit code 0 where the file was written; 2 where an answer is not valid, and nothing is written then.

    Example: freshness-bot init --owners contoso --app 12345
    """
    from bot.cli.screen.output import print_line, print_sentence
    from bot.domain.failure import Failure, Trouble

    if action:
        _write_workflow(app, force=force)
        return
    if file.exists() and not force:
        raise Failure(Trouble.DENIED, "there is a file already", where=str(file), advice="use --force, or --output")
    try:
        answers = _answers(github, app, owners, channel, store, secrets)
    except typer.Abort as aborted:
        if isinstance(aborted.__context__, KeyboardInterrupt):
            raise typer.Exit(130) from aborted
        fault, advice = "a question was not answered", "answer it by its option, which --help tells"
        raise Failure(Trouble.MISSING, fault, advice=advice) from aborted
    _write(file, answers)
    print_line(f"{file} is written. What is still to do:")
    for path, secret in answers.secret_files.items():
        done = " (there is a file already)" if path.exists() else ""
        print_sentence(f"- put {secret} into {path}{done}")
    if answers.folder is not None and not answers.folder.is_dir():
        print_sentence(f"- make the folder {answers.folder}, where the bot remembers")
    print_sentence("- name under `registries`, beside mcr.microsoft.com, where your own images are")
    print_sentence("- say under `vulnerabilities` whose CVEs of packages are read; without it, those of .NET alone")
    print_sentence(f"- freshness-bot config check -c {file}")
    print_sentence(f"- freshness-bot once --dry-run -c {file}")


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


def _answers(
    github: str | None, app: int | None, owners: str | None, channel: str | None, store: str | None, secrets: Path
) -> "Answers":
    from bot.domain.failure import Failure, Trouble
    from bot.settings.starting import GITHUB, STORE, Answers, forge_defect

    if github is None:
        github = typer.prompt("Where is GitHub", default=GITHUB)
    if (defect := forge_defect(github)) is not None:
        raise Failure(Trouble.DENIED, defect, where="--github")
    if app is None:
        app = typer.prompt("Id of the GitHub App (0: a token is used)", default=0, type=int)
    if owners is None:
        owners = typer.prompt(
            "Whose repositories (organizations or owners, by commas)", default="*" if app else None
        )
    if channel is None:
        channel = typer.prompt("Id of the Slack channel that is told (-: none)", default="-")
    if store is None:
        store = typer.prompt("Where to remember", default=STORE)
    owner_names = tuple(owner.strip().removesuffix("/*") for owner in owners.split(",") if owner.strip())
    return Answers(
        github=github,
        app=app or None,
        owners=() if owner_names == ("*",) else owner_names,
        channel=None if channel == "-" else channel,
        store=store,
        secrets=secrets,
    )


def _write(file: Path, answers: "Answers") -> None:
    """Writes what the loader takes; raises `BadSettings` with its lines where it takes it not."""
    import os
    import tempfile

    from bot.domain.failure import Failure, Trouble
    from bot.settings import load
    from bot.settings.starting import settings_text

    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=file.parent, prefix=f"{file.name}.", suffix=".new", delete=False
        ) as new_file:
            new_file.write(settings_text(answers, file.name))
        try:
            load(Path(new_file.name))
            os.replace(new_file.name, file)
        finally:
            Path(new_file.name).unlink(missing_ok=True)
    except OSError as error:
        raise Failure(Trouble.DENIED, f"cannot be written: {error.strerror}", where=str(file)) from error
