"""Long lists, a page at a time."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

PER_PAGE = 50
MOST_PER_PAGE = 100
MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class Cut:
    """Which page, counted from 1, and how many items it holds."""

    page: int = 1
    per_page: int = PER_PAGE

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.per_page


WHOLE = Cut(per_page=10_000)
"""A list whole, as far as one answer may hold it."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of `total` items."""

    items: tuple[T, ...]
    total: int
    page: int
    per_page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.per_page))

    @property
    def first(self) -> int:
        """The number of the first item shown, from 1; 0 where there is none."""
        return (self.page - 1) * self.per_page + 1 if self.items else 0

    @property
    def last(self) -> int:
        return self.first + len(self.items) - 1 if self.items else 0


def page_of(items: tuple[T, ...], total: int, cut: Cut) -> Page[T]:
    return Page(items, total, cut.page, cut.per_page)
