"""`running`: what runs in clusters, and what a cluster tells of itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.asking import waited_for
from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat
from bot.cli.screen.output import print_aside, print_line

if TYPE_CHECKING:
    from bot.views.running.places import RunningRow
from bot.cli.screen.progress import progress_of

app = typer.Typer(help="What runs in clusters.", no_args_is_help=True)


@app.callback()
def running() -> None:
    """What runs in clusters."""


@app.command("push")
def push(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="What the bot's settings call this cluster.")],
    url: Annotated[str, typer.Argument(metavar="URL", help="Where people reach the bot's page.")],
    token_file: Annotated[Path, typer.Option("--token-file", help="File with the token of this source.")],
    namespaces: Annotated[
        list[str] | None,
        typer.Option("--namespace", metavar="NAME", help="List this one; again for more. Else all."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="GLOB", help="A glob over namespaces to leave out; again for more."),
    ] = None,
    kubeconfig: Annotated[
        Path | None, typer.Option("--kubeconfig", help="Else the pod's own service account is used.")
    ] = None,
    context: Annotated[
        str | None, typer.Option("--context", help="Of the kubeconfig; else its current one.")
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option("--ca-file", help="Certificate authority of the bot's page (PEM).")
    ] = None,
) -> None:
    """Lists the pods of a cluster once, and sends the bot what runs in it.

    It runs in the cluster, every five minutes: deploy/overlays/running. Of the bot it needs no settings and no
    store. It sends names, images, digests and times; of a pod's environment nothing is read.

    Exit code 0 where all is sent, 2 where nothing could be listed, or the bot does not take it, 3 where it is sent
    and a part could not be listed.

    Example: freshness-bot running push west https://HOST --token-file token
    """
    import asyncio

    from bot.clients.kubernetes.reader import ClusterReader
    from bot.commands.service.running import Receiver, access_of, push
    from bot.domain.clock import SystemClock
    from bot.domain.wording.words import counted

    clock = SystemClock()
    reader = ClusterReader(access_of(kubeconfig, context), clock, tuple(namespaces or ()), tuple(exclude or ()))
    with progress_of("listing the pods"):
        snapshot = asyncio.run(push(reader, Receiver(url, source, token_file, ca_file), clock))
    print_line(f"sent {counted(len(snapshot.containers), 'container')} of {source}")
    for line in snapshot.not_read:
        print_aside(line)
    if not snapshot.is_whole:
        raise typer.Exit(3)


@app.command("list")
def list_running(
    source: Annotated[
        str | None, typer.Option("--source", help="Of one source alone, or of one environment.")
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Shows what runs in each place, since when, and who builds it; nobody but the store is asked.

    Exit codes: 0 shown, 3 a source does not tell now what runs there, or none is named.

    Example: freshness-bot running list --source production
    """
    from dataclasses import asdict

    from bot.cli.screen.output import Layout, print_json, print_sentence, print_table
    from bot.commands.images.running import read_running
    from bot.domain.clock import SystemClock
    from bot.settings import load

    now = waited_for(read_running(load(config), source, SystemClock()))
    rows = now.running.items
    if output is Format.JSON:
        figures = {"verdict": now.verdict, "places": now.places, "nobodys": now.nobodys, "unread": now.unread}
        print_json({**figures, "running": [asdict(row) for row in rows]})
    else:
        print_sentence(now.verdict)
        columns = ("where", "place", "image", "build", "since", "pods", "built by")
        print_table(columns, [_row(row) for row in rows], Layout(group=True))
    for line in now.unread:
        print_aside(f"not all is known: {line}")
    if now.unread or not now.is_told:
        raise typer.Exit(3)


def _row(row: "RunningRow") -> tuple[object, ...]:
    where = " ".join(dict.fromkeys((row.environment, row.source))).strip()
    place = f"{row.namespace}/{row.workload}/{row.container}"
    since = f"{'at least ' if row.at_least else ''}{row.since:%Y-%m-%d %H:%M}"
    built_by = row.built_by or "nobody we know"
    return where, place, row.image, row.digest.partition(":")[2][:12], since, row.pods, built_by
