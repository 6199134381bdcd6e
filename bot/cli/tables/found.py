"""How the images that hold a package are shown."""

from collections.abc import Sequence

from bot.cli.options import Format
from bot.cli.screen.output import Layout, print_json, print_sentence, print_table
from bot.cli.screen.rest import count_rest, first_rows
from bot.cli.screen.text import moment
from bot.cli.unknown import end_with_unknown
from bot.views.images.inventory import FoundPackage, FoundPackages, ShownBy, as_json, in_short


def show_found(answer: FoundPackages, output: Format, *, show_all: bool = False) -> None:
    """Writes the first rows or all, one for each package in each image; ends with 3 where some image is unknown."""
    if output is Format.JSON:
        print_json(as_json(answer))
    elif not answer.found:
        print_sentence(
            "No image that was read holds such a package. `freshness-bot images` lists those that are known."
        )
    else:
        print_sentence(in_short(answer))
        _show_rows(first_rows(answer.found, show_all=show_all))
        count_rest(len(answer.found), show_all=show_all)
    end_with_unknown(answer.not_known, answer.gaps)


def _show_rows(packages: Sequence[FoundPackage]) -> None:
    print_table(
        ("image", "package", "version", "since", "produced by", "another version", "run at"),
        [
            (
                row.image,
                row.package.name,
                _version(row),
                moment(row.since),
                row.repository,
                str(row.fix),
                ", ".join(map(str, row.deployed)),
            )
            for row in packages
        ],
        Layout(below=("produced by", "another version", "run at")),
    )


def _version(row: FoundPackage) -> str:
    doubt = "" if row.is_certain else " (cannot be compared)"
    shown_by = "" if row.shown_by is ShownBy.LAYERS else f" ({row.shown_by.value})"
    return f"{row.package.version}{doubt}{shown_by}"
