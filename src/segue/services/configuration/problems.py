"""What is wrong with a configuration, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from segue.errors import ConfigError


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file; line and column are 1-based, 0 when only the file is known."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: where it is and what it is, in a sentence that repeats no secret."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class ConfigurationError(ConfigError):
    """Everything that is wrong with the files of one ``apply``: one line each, in the order of the files.

    problems: the same as values.
    """

    code = "configuration"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__(
            "\n".join(str(problem) for problem in self.problems),
            steps=("Correct the lines above and apply again; nothing was changed.",),
        )
