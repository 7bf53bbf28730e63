"""One JSON line a happening, on standard output; event names are constant, noun.past."""

import logging
import sys
from collections.abc import Iterable, Mapping

import orjson
import structlog

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

Logger = structlog.typing.FilteringBoundLogger


def configure(*, service: str, level: str) -> None:
    """Set up logging for this process: structlog and the libraries' loggers, both as JSON lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        # Without local variables: they hold what must not be logged.
        structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(_LEVELS[level], logging.WARNING))


def get_logger(room: str) -> Logger:
    """Return a logger whose lines name their room."""
    logger: Logger = structlog.get_logger(room=room)
    return logger


def write_lines(lines: Iterable[Mapping[str, object]]) -> None:
    """Write ready lines in one go: for what happens ten thousand times a second, a tenth of a logger's cost.

    Each mapping holds what a logger would have added: at, level, service, room and event.
    """
    sys.stdout.buffer.write(b"".join(orjson.dumps(line, option=_LINE, default=str) for line in lines))
    sys.stdout.buffer.flush()


_LINE = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z
