"""How much an account may ask: GitHub's hourly limits, and on request its secondary ones.

Every installation of the App is an account, and so is every user, whichever tokens they use.
Sources: GitHub's pages on rate limits for the REST API and for the GraphQL API.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.clock import Clock
from sandbox.github.refusals import Refused

REST_POINTS, GRAPHQL_POINTS = 900, 2000
"""Secondary points in a minute. Reading costs 1, a REST write or a GraphQL request with mutations 5."""
CONTENT_PER_MINUTE, CONTENT_PER_HOUR = 80, 500
CONCURRENT = 100
WRITE = 5
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
TEMPORARILY_BLOCKED = (
    "You have exceeded a secondary rate limit and have been temporarily blocked from content creation. "
    "Please retry your request again later."
)


@dataclass(slots=True)
class Limits:
    clock: Clock
    rest: int = 5000
    """Requests in an hour for each account but the operator."""
    graphql: int = 5000
    """Points in an hour."""
    secondary: bool = False
    """Whether the secondary limits are enforced; nothing but a refusal tells of them."""
    most_nodes: int | None = None
    """How many objects a GraphQL request gets before "Resource limits for this query exceeded"; None: all."""
    broken: list[str] = field(default_factory=list)
    """Every secondary limit that somebody ran into."""
    _used: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    _points: defaultdict[tuple[str, str], deque[tuple[datetime, int]]] = field(
        default_factory=lambda: defaultdict(deque)
    )
    _content: defaultdict[str, deque[datetime]] = field(default_factory=lambda: defaultdict(deque))
    _under_way: Counter[str] = field(default_factory=Counter)

    # --- the hour ---

    def spend(self, account: str, resource: str, points: int) -> None:
        self._used[account, resource, self._hour()] += points

    def rate(self, account: str, resource: str) -> dict[str, int]:
        """As `/rate_limit` shows it; `resource` is core or graphql."""
        limit = self.graphql if resource == "graphql" else self.rest
        used = self._used[account, resource, self._hour()]
        reset = (self._hour() + 1) * 3600
        return {"limit": limit, "remaining": max(limit - used, 0), "reset": reset, "used": used}

    def _hour(self) -> int:
        return int(self.clock.now().timestamp()) // 3600

    # --- the secondary ones ---

    @contextmanager
    def request(self, account: str, resource: str, points: int) -> Iterator[None]:
        """Counts a request while it is answered. Raises `Refused`."""
        self._under_way[account] += 1
        try:
            if self.secondary:
                self._admit(account, resource, points)
            yield
        finally:
            self._under_way[account] -= 1

    def _admit(self, account: str, resource: str, points: int) -> None:
        now = self.clock.now()
        window = self._points[account, resource]
        while window and window[0][0] <= now - MINUTE:
            window.popleft()
        window.append((now, points))
        most = GRAPHQL_POINTS if resource == "graphql" else REST_POINTS
        if sum(cost for _, cost in window) > most:
            self._refuse(
                account, f"more than {most} {resource} points in a minute", SECONDARY, {"retry-after": "60"}
            )
        if self._under_way[account] > CONCURRENT:
            self._refuse(account, f"more than {CONCURRENT} requests at once", SECONDARY, {})

    def create_content(self, account: str) -> None:
        """Counts something that GitHub tells people of. Raises `Refused`."""
        if not self.secondary:
            return
        now = self.clock.now()
        made = self._content[account]
        while made and made[0] <= now - HOUR:
            made.popleft()
        if len(made) >= CONTENT_PER_HOUR:
            self._refuse(account, f"more than {CONTENT_PER_HOUR} contents in an hour", TEMPORARILY_BLOCKED, {})
        if sum(at > now - MINUTE for at in made) >= CONTENT_PER_MINUTE:
            self._refuse(account, f"more than {CONTENT_PER_MINUTE} contents in a minute", TEMPORARILY_BLOCKED, {})
        made.append(now)

    def _refuse(self, account: str, what: str, message: str, headers: dict[str, str]) -> None:
        self.broken.append(f"{account}: {what}")
        raise Refused(403, message, headers=headers)
