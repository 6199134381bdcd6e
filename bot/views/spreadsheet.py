"""Rows as CSV, for a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence

_IS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Writes a line of names and one for each row."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    return written.getvalue()


def cell(value: object) -> str:
    """A value as a spreadsheet takes it: what others have written is never a formula there."""
    written = "" if value is None else str(value)
    return f"'{written}" if written.startswith(_IS_FORMULA) else written
