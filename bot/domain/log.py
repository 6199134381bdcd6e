"""What the bot says of its work, to whoever watches the process; what writes it is loaded with the first event."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Log:
    """Hands each event with its facts to structlog, whose configuration says in which form it goes where."""

    def __init__(self) -> None:
        self._set_up: Callable[[], None] | None = None

    def info(self, event: str, **facts: Any) -> None:
        self._logger().info(event, **facts)

    def warning(self, event: str, **facts: Any) -> None:
        self._logger().warning(event, **facts)

    def error(self, event: str, **facts: Any) -> None:
        self._logger().error(event, **facts)

    def exception(self, event: str, **facts: Any) -> None:
        """Tells the exception that is being handled as well."""
        self._logger().exception(event, **facts)

    @contextmanager
    def set_up_by(self, set_up: Callable[[], None]) -> Iterator[None]:
        """Has `set_up` called before the first event meanwhile, and not at all where there is none."""
        self._set_up = set_up
        try:
            yield
        finally:
            self._set_up = None

    def _logger(self) -> Any:
        import structlog

        if self._set_up is not None:
            set_up, self._set_up = self._set_up, None
            set_up()
        return structlog.get_logger()


log = Log()
