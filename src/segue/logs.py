"""The log: one JSON object a line, with run and task, without people's data.

Events are sentences of ours with fields of ours; what libraries say goes through ``redact``. Nothing is written until
``to`` says where.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from segue.errors import ConfigError
from segue.security import redact

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

_NAME = "segue"
_open: list[TextIO] = []
"""The file of this process, so that it is opened once."""


def event(name: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Log that something happened. fields: ids, counts, words of ours; never a value of the data."""
    if (structlog := _library()) and structlog.is_configured():
        structlog.get_logger(_NAME).log(level, name, **fields)


def task(run_id: str, name: str, **fields: Any) -> None:
    """Log that a task begins; what this thread logs until the next one carries its name and its run."""
    if structlog := _library():
        structlog.contextvars.bind_contextvars(run=run_id, task=name)
    event("task begun", **fields)


def done() -> None:
    """What follows belongs to no run."""
    if structlog := _library():
        structlog.contextvars.unbind_contextvars("run", "task")


def to(target: str) -> None:
    """Write the log to a file, which is added to and readable by its owner only, or to stderr for ``-``.

    Raises ConfigError when the file cannot be written.
    """
    import structlog  # noqa: PLC0415 -- a tenth of the start of a command, and most commands write no log

    stream = _stream(target)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _redacted,
            structlog.processors.JSONRenderer(serializer=json.dumps, default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    handler = _Foreign()
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not isinstance(other, _Foreign)]
    root.addHandler(handler)


def off() -> None:
    """Write no more, and close the file."""
    if structlog := _library():
        structlog.reset_defaults()
    root = logging.getLogger()
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, _Foreign)]
    while _open:
        _open.pop().close()


def _library() -> Any:
    """structlog, once ``to`` has asked for it."""
    return sys.modules.get("structlog")


class _Foreign(logging.Handler):
    """Warnings of libraries, as events of the same log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """One line: the text, masked, and where it is from; no traceback, since its values may be people's data."""
        event(redact(record.getMessage()), level=record.levelno, logger=record.name)


def _redacted(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    """The last net: texts are masked as everywhere."""
    return {name: redact(value) if isinstance(value, str) else value for name, value in fields.items()}


def _stream(target: str) -> TextIO:
    if target == "-":
        return sys.stderr
    off()
    try:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        file = os.fdopen(
            os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8", buffering=1
        )
    except OSError as error:
        raise ConfigError(
            f"the log {target} cannot be written: {error.strerror}",
            code="log_unwritable",
            steps=("Set SEGUE_LOG to a file that you may write, or to - for stderr.",),
        ) from None
    _open.append(file)
    return file
