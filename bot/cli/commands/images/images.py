"""`images` and `image`: what the fleet builds, and what it is seen to stand on; nobody else is asked."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.asking import waited_for
from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat
from bot.cli.screen.output import (
    EveryRow,
    Hyperlink,
    Layout,
    count_rest,
    first_rows,
    print_json,
    print_line,
    print_page,
    print_sentence,
    print_table,
)
from bot.cli.screen.text import moment

if TYPE_CHECKING:
    from bot.views.bases.tree import Tree
    from bot.views.images.images import ImageView


def images(
    show_all: EveryRow = False, config: ConfigFile = DEFAULT_CONFIG, output: OutputFormat = Format.TABLE
) -> None:
    """Shows the images that the fleet builds, and what each stands on.

    Which repository produces an image, what its layers show, since when it is behind, where it is run, and how
    strong the evidence is. The table has at most eight rows, those that are behind first, and counts the rest;
    --all and --format json have every one. Reads the store alone and can run beside the service.

    Exit codes: 0 shown, 2 settings or store cannot be read.

    Example: freshness-bot images --format json
    """
    from bot.commands.images.images import read_images
    from bot.domain.clock import SystemClock
    from bot.settings import load

    clock = SystemClock()
    show_images(waited_for(read_images(load(config), clock)), clock.now(), output, show_all=show_all)


def image(
    name: Annotated[
        str, typer.Argument(metavar="IMAGE", help="registry/name of an image, or a part of it such as contoso/shop")
    ],
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Shows all that is known of one image.

    Who produces it and by whose word, each platform with what it stands on and what shows that, and the places
    where it is run. Exit code 0; 2 where the store knows no
    such image, or it or the settings cannot be read.

    Example: freshness-bot image contoso/shop
    """
    from bot.commands.images.images import read_image_views
    from bot.domain.clock import SystemClock
    from bot.domain.wording.pages import image_path
    from bot.settings import load

    settings, clock = load(config), SystemClock()
    views = waited_for(read_image_views(settings, name, clock))
    show_image(views, clock.now(), output)
    for image_name in dict.fromkeys(view.image.claim.name for view in views):
        print_page(settings, image_path(image_name), output)


def tree(
    base: Annotated[
        str,
        typer.Argument(metavar="BASE", help="A base such as aspnet:10.0 or mcr.microsoft.com/dotnet/aspnet:10.0"),
    ],
    show_all: EveryRow = False,
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Shows a base with the images on it, and how far each is.

    Which images are proved to stand on what the base shows now, which are behind, and what is under way. An image
    is followed by those that stand on it; first come those that are behind, then those below which one is. The
    table has at most eight rows and counts the rest; --all and --format json have every one. Reads the store
    alone. Exit code 0; 2 where no such base is watched, or settings or store cannot be read.

    Example: freshness-bot tree aspnet:10.0-noble
    """
    from bot.commands.images.images import read_tree
    from bot.domain.clock import SystemClock
    from bot.domain.wording.pages import base_path
    from bot.settings import load

    settings = load(config)
    base_tree = waited_for(read_tree(settings, base, SystemClock()))
    show_tree(base_tree, output, show_all=show_all)
    print_page(settings, base_path(base_tree.base), output)


def show_tree(base_tree: "Tree", output: Format, *, show_all: bool = False) -> None:
    """Writes the base, a row for each image on it or for the first, and how many have arrived."""
    from bot.views.bases.tree import as_json, short
    from bot.views.rollouts.rebuilds import what

    if output is Format.JSON:
        print_json(as_json(base_tree))
        return
    print_line(f"{short(base_tree)} {moment(base_tree.moved_at)}")
    if base_tree.branches:
        print_table(
            ("image", "produced by", "seen", "state", "rebuild"),
            [
                (
                    "  " * branch.depth + str(branch.view.image.place),
                    branch.view.image.repository,
                    moment(branch.view.image.seen_at),
                    branch.state,
                    Hyperlink(what(branch.rebuild), branch.rebuild.url) if branch.rebuild else None,
                )
                for branch in first_rows(base_tree.branches, show_all=show_all)
            ],
            Layout(below=("state",)),
        )
        count_rest(len(base_tree.branches), show_all=show_all)
    print_sentence(base_tree.told)


def show_images(views: "Sequence[ImageView]", now: datetime, output: Format, *, show_all: bool = False) -> None:
    """Writes a row for each image or for the first, what needs a look at the top, below how many stand how."""
    from bot.views.images.images import as_json, counted_states, needy_first, stands_on

    if output is Format.JSON:
        print_json([as_json(view) for view in views])
    elif not views:
        print_sentence(
            "No image is known. Name them in the settings under images, or let a build name what it pushes."
        )
    else:
        print_line(counted_states(views))
        print_table(
            ("image", "produced by", "stands on", "behind since", "deployed", "state", "doubt"),
            [
                (
                    str(view.image.place),
                    view.image.repository,
                    stands_on(view.image, now),
                    moment(view.image.behind_since) if view.image.behind_since else "",
                    f"{view.deployed[0]} and {len(view.deployed) - 1} more"
                    if len(view.deployed) > 1
                    else "".join(map(str, view.deployed)),
                    view.image.state.in_words,
                    view.image.doubt or "",
                )
                for view in first_rows(needy_first(views), show_all=show_all)
            ],
            Layout(below=("stands on", "deployed", "doubt")),
        )
        count_rest(len(views), show_all=show_all)


def show_image(views: "Sequence[ImageView]", now: datetime, output: Format) -> None:
    """Writes each image of that name, one below the other."""
    from bot.views.images.images import as_json

    if output is Format.JSON:
        print_json([as_json(view) for view in views])
        return
    for view in views:
        image = view.image
        build_place = f", built at {image.claim.path}:{image.claim.line}" if image.claim.path else ""
        print_line(f"{image.place}: {image.state.in_words}")
        print_line(f"  {image.digest or 'not seen'}")
        print_sentence(f"  produced by {image.repository}, by word of {image.source}{build_place}")
        if image.doubt is not None:
            print_sentence(f"  does not count: {image.doubt}")
        if image.builder is not None:
            print_sentence(f"  {image.builder.told}")
        if view.gate is not None:
            print_sentence(f"  {view.gate.in_words}")
        if view.looked_at is not None:
            print_line(f"  looked at {moment(view.looked_at)}")
        if image.error is not None:
            print_sentence(f"  {image.error}")
        for standing in image.standings:
            print_sentence(f"  {standing.platform} stands on {standing.told(now)}")
            if standing.disagreement:
                print_sentence(f"    but {standing.disagreement}")
        for place in view.deployed:
            under = f":{place.tag}" if place.tag else f"@{place.digest}" if place.digest else ""
            print_line(f"  run by {place}  {under}")
