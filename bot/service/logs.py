"""Logs: JSON in the service, plain lines on a terminal, secrets in neither."""

import io
import logging
import re
import sys
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO

_NAMED = re.compile(r"token|secret|password|passphrase|private_key|authorization|webhook|cookie", re.IGNORECASE)
_VALUES = re.compile(
    r"gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{20,}|(?:xox[a-z]|xapp)-[\w-]{8,}|"
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+|"
    r"https?://[^\s/]*/services/[\w/]+|(?<=://)(?!USER@)[^\s/?#]+(?=@)|"
    r"(?i:(?<=token=)|(?<=password=)|(?<=secret=)|(?<=signature=)|(?<=&sig=)|(?<=\?sig=))[^\s&]+|"
    r"(?i:bearer|basic)\s+[A-Za-z0-9+/=._~-]{8,}|"
    r"-----BEGIN[^-]*PRIVATE KEY-----.*?(?:-----END[^-]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
REDACTED = "[redacted]"
_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def clean(text: str) -> str:
    """Takes out whatever looks like a credential."""
    return _VALUES.sub(REDACTED, text)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Takes out values of telling names, and anything that looks like a credential wherever it stands."""
    return {name: value if name == "exc_info" else _redacted(name, value) for name, value in event.items()}


def set_up(form: str, *, verbose: bool = True) -> None:
    """`form` is `json` or `text`; lines go to standard error, so that output stays fit for scripts."""
    import structlog

    renderer: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), pad_event_to=0, exception_formatter=_write_trace
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if form == "json" else []),
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO if verbose else logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    quiet_libraries()


def quiet_libraries() -> None:
    """Keeps what libraries log of themselves, errors apart, from standard error."""
    for name in ("github", "httpx", "apscheduler", "alembic", "urllib3"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _write_trace(stream: TextIO, exc_info: _ExcInfo) -> None:
    """The renderer for people writes the trace itself, after `redact` has run."""
    import structlog

    trace = io.StringIO()
    structlog.dev.plain_traceback(trace, exc_info)
    stream.write(clean(trace.getvalue()))


def _redacted(name: object, value: Any) -> Any:
    return REDACTED if _NAMED.search(str(name)) else _cleaned(value)


def _cleaned(value: Any) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case dict():
            return {clean(str(name)): _redacted(name, item) for name, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_cleaned(item) for item in value]
        case _:
            return clean(str(value))
