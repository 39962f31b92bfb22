"""The switches of the emulator: every behaviour that Klaviyo does not document, or that a test wants otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args, get_type_hints


class BadSettingError(ValueError):
    """A name that is no setting, or a value of the wrong kind."""


@dataclass(kw_only=True, slots=True)
class Settings:
    """All switches, changeable at run time. Times are in seconds; 0 switches a limit off."""

    limit_scale: float = 1.0
    """Multiplies every rate limit; 0 = no windows at all."""
    windows: Literal["first_request", "aligned"] = "first_request"
    """Whether a window opens with its first request or with the whole second or minute of the clock."""
    job_delay: float = 0.0
    """From the acceptance of a job to its completion; the first half is ``queued``, the second ``processing``."""
    latency: float = 0.0
    """Real time that every API answer takes more."""
    list_lag: float = 0.0
    """How far reads of list members and counts lag behind the truth."""
    row_errors: Literal["job", "row"] = "job"
    """A malformed row of a bulk job refuses the whole job, or fails alone into the import errors."""
    error_pointers: bool = True
    """Whether the 400 of a refused bulk job names the rows in ``source.pointer``."""
    original_payload: bool = True
    """Whether import errors carry the row as it was sent; off: null."""
    bulk_nulls: Literal["ignore", "clear", "refuse"] = "ignore"
    """What a null in a row of a bulk job does."""
    bulk_unset: Literal["custom", "all", "ignore"] = "custom"
    """What ``unset`` in a bulk job clears: custom properties, those and standard fields, or nothing."""
    unset: Literal["custom", "all"] = "custom"
    """The same for PATCH and profile-import."""
    unknown_ids: Literal["ignore", "refuse"] = "ignore"
    """An unknown profile id in a change of list members: passed over, or a 404 for the whole call."""
    unique_list_names: bool = False
    """Whether a second list of one name is a 409."""
    max_groups: int = 1000
    """Lists and segments that an account may hold."""
    daily_lists: int = 150
    """Lists that an account may create in a day."""
    max_any_values: int = 100
    """Values that a filter ``any(field,[...])`` may name."""
    gzip_requests: bool = False
    """Whether a body with ``Content-Encoding: gzip`` is read; off: 415."""
    gzip_answers: bool = True
    """Whether larger answers are compressed for a client that accepts gzip."""
    oldest_revision: str = "2024-10-15"
    """Revisions before this date are retired and answer 410."""

    def change(self, values: Mapping[str, object]) -> None:
        """Set the named switches, all or none; raises BadSettingError."""
        hints = get_type_hints(type(self))
        checked = {name: _checked(name, hints.get(name), value) for name, value in values.items()}
        for name, value in checked.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        """Name to value, in the order of this class."""
        return asdict(self)

    def copy(self) -> Settings:
        """An independent value with the same switches."""
        return Settings(**self.as_dict())


def setting_names() -> tuple[str, ...]:
    """The names of all switches."""
    return tuple(field.name for field in fields(Settings))


def _checked(name: str, hint: object, value: object) -> object:
    if hint is None:
        raise BadSettingError(f"there is no setting {name!r}; the settings are {', '.join(setting_names())}")
    if choices := get_args(hint):
        if value not in choices:
            raise BadSettingError(f"{name} takes one of {', '.join(choices)}")
        return value
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is bool and isinstance(value, bool):
        return value
    if hint is str and isinstance(value, str):
        return value
    if hint is float and isinstance(value, (int, float)) and number and value >= 0:
        return float(value)
    if hint is int and isinstance(value, int) and number and value >= 0:
        return value
    raise BadSettingError(
        f"{name} takes {'a number that is not negative' if hint in (int, float) else 'true or false or text'}"
    )
