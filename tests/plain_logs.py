"""Logs in tests: plain lines, and a trace without every frame's variables, which takes seconds to draw."""

import structlog


def log_plainly() -> None:
    """Sets up the logs of this process; what a test set up otherwise it brings back with this."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=False,
    )
