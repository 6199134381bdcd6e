"""`cve`: which CVEs the fleet has, where the fix of each is stuck, and who can move it; nobody else is asked."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.asking import waited_for
from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat

if TYPE_CHECKING:
    from bot.views.images.ledger import CvePage, CveRow, Cves, LedgerRow


def cve(
    name: Annotated[
        str | None,
        typer.Argument(metavar="CVE", help="For example CVE-2026-21518; all open ones where it is left out."),
    ] = None,
    show_all: Annotated[
        bool, typer.Option("--all", help="In the table of one CVE, each image with its own clocks.")
    ] = False,
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Shows where the fix of a CVE is stuck, and who can move it.

    For each affected image seven clocks: fixed by its publisher, in the base, in the mirror, in own bases, in the
    image, in what manifests name, and in what runs. The table has a few lines for all images that are stuck at the
    same one and wait for the same people; --all and --format json tell of each. Reads the store alone and can run
    beside the service. Exit codes: 0 all images are known, 2 that is no CVE, 3 no image is known, some could not be
    read, or not as a whole, or CVE data of something that they hold is missing or old.

    Example: freshness-bot cve CVE-2026-21518
    """
    from bot.commands.images.ledger import read_cve, read_cves
    from bot.domain.clock import SystemClock
    from bot.settings import load

    settings, clock = load(config), SystemClock()
    if name is None:
        show_cves(waited_for(read_cves(settings, clock)), output)
    else:
        show_cve(waited_for(read_cve(settings, name, clock)), output, show_all=show_all)


def show_cves(cves: "Cves", output: Format) -> None:
    """Writes a row for each CVE with where its fix is stuck; ends with 3 where some image is not known."""
    from bot.cli.screen.output import Layout, print_json, print_sentence, print_table
    from bot.cli.unknown import end_with_unknown
    from bot.domain.wording.words import counted
    from bot.views.images.ledger import as_json, places_in_words

    if output is Format.JSON:
        rows = [as_json(row) for row in cves.cves.items]
        print_json({"cves": rows, "not_known": cves.not_known, "gaps": cves.gaps})
    elif not cves.cves.items:
        waits = "is known to wait for a fix" if cves.gaps else "waits for a fix"
        print_sentence(f"No image that was read {waits}. `freshness-bot images` lists those that are known.")
    else:
        waiting = sum(row.places.open > 0 for row in cves.cves.items)
        print_sentence(
            f"{counted(len(cves.cves.items), 'CVE')} of packages in images; {waiting} not mended everywhere"
        )
        print_table(
            ("CVE", "severity", "rated by", "images", "where", "what"),
            [
                (
                    *(row.cve, _rated(row), row.rated_by, row.places.open),
                    ", ".join(f"{number} {words}" for words, number in places_in_words(row.places)),
                    row.title,
                )
                for row in cves.cves.items
            ],
            Layout(below=("where", "what")),
        )
    end_with_unknown(cves.not_known, cves.gaps)


def show_cve(page: "CvePage", output: Format, *, show_all: bool = False) -> None:
    """Writes the images in groups, or each with its clocks; ends with 3 where some image is not known."""
    from bot.cli.screen.output import print_json, print_line, print_sentence
    from bot.cli.tables import show_group
    from bot.cli.unknown import end_with_unknown
    from bot.domain.wording.words import counted
    from bot.views.images.ledger import as_json, grouped, image_as_json, places_in_words

    if output is Format.JSON:
        images = [image_as_json(row) for row in page.images.items]
        unknowns = {"not_known": page.not_known, "gaps": page.gaps, "notes": page.notes}
        print_json({**as_json(page.cve), "is_told": page.is_told, "images": images, **unknowns})
        end_with_unknown(page.not_known, page.gaps)
        return
    row = page.cve
    if page.untold:
        print_sentence(f"{row.cve}: {page.untold}.")
        end_with_unknown(page.not_known, page.gaps)
        return
    rated = f"{row.severity_told}, as {row.rated_by} rates it" if row.severity else "not rated"
    marked = f"; {row.mark.told}" if row.mark.told else ""
    print_sentence(f"{row.cve}: {rated}{marked}. {row.title}")
    if not page.images.items:
        print_line("No image that was read has it, or had it.")
    else:
        places = ", ".join(f"{number} {words}" for words, number in places_in_words(row.places))
        print_sentence(f"{counted(page.images.total, 'image')}: {places}")
        if show_all:
            for image in page.images.items:
                _show_image(image)
        else:
            for group in grouped(page.images.items):
                show_group(group)
            print_line("")
            print_sentence(f"`freshness-bot cve {row.cve} --all` shows each image with its clocks.")
    for note in page.notes:
        print_sentence(f"{note}.")
    end_with_unknown(page.not_known, page.gaps)


def _rated(row: "CveRow") -> str:
    rated = row.severity_told or "not rated"
    return f"{rated}, known exploited" if row.mark.is_exploited else rated


def _show_image(image: "LedgerRow") -> None:
    from bot.cli.screen.output import Layout, print_line, print_sentence, print_table
    from bot.cli.screen.text import moment

    print_line("")
    print_sentence(f"{image.image} ({', '.join(image.packages)})")
    if image.says:
        moved_by = f"; {image.who} can move it" if image.who else ""
        print_sentence(f"{image.state}: {image.says}{moved_by}")
    else:
        print_line(image.state)
    print_table(
        ("clock", "state", "at", "elsewhere", "says"),
        [
            (
                *(clock.station, clock.passage, moment(clock.at) if clock.at else ""),
                clock.elsewhere.told if clock.elsewhere is not None else "",
                clock.says,
            )
            for clock in image.clocks
        ],
        Layout(below=("says",)),
    )
