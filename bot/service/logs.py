"""Logs: JSON in the service, plain lines on a terminal, secrets in neither."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_NAMED = re.compile(r"token|secret|password|private_key|authorization|webhook", re.IGNORECASE)
_VALUES = re.compile(
    r"gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{20,}|xox[abprs]-[\w-]{8,}|"
    r"https?://[^\s/]*/services/[\w/]+|(?<=://)[^\s/:@]+:[^\s/@]+(?=@)|"
    r"(?i:bearer|basic)\s+[A-Za-z0-9+/=._-]{8,}|-----BEGIN[^-]*PRIVATE KEY-----.*?-----END[^-]*PRIVATE KEY-----",
    re.DOTALL,
)
REDACTED = "[redacted]"


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Takes out values of telling names, and anything that looks like a credential wherever it stands."""
    return {name: REDACTED if _NAMED.search(name) else _clean(value) for name, value in event.items()}


def set_up(form: str, *, verbose: bool = True) -> None:
    """`form` is `json` or `text`; lines go to standard error, so that output stays fit for scripts."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
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
    for name in ("github", "httpx", "apscheduler", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _clean(value: Any) -> Any:
    match value:
        case str():
            return _VALUES.sub(REDACTED, value)
        case dict():
            return {key: REDACTED if _NAMED.search(str(key)) else _clean(item) for key, item in value.items()}
        case list() | tuple():
            return [_clean(item) for item in value]
        case _:
            return value
