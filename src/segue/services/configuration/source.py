"""A YAML file as plain data that remembers where every part of it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from segue.services.configuration.problems import Place, Problem
from segue.services.configuration.substitution import substitute

Location = tuple[str | int, ...]
"""The way from the top of a file to a part of it: keys and 0-based indexes."""

_MERGE = "tag:yaml.org,2002:merge"
_MOST_NODES = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file.

    folder: where its relative paths start; data: what it says, None where a variable was not set; unset:
    the variables of those places; typed: places whose text names no variable; problems: what cannot be read.
    """

    file: str
    folder: Path
    data: object
    places: Mapping[Location, Place]
    key_places: Mapping[Location, Place]
    nodes: Mapping[Location, ScalarNode]
    unset: Mapping[Location, str]
    typed: frozenset[Location]
    problems: tuple[Problem, ...]
    lines: tuple[str, ...]

    def place(self, location: Location) -> Place:
        """Where the value at location stands, or else the nearest thing around it."""
        while location and location not in self.places:
            location = location[:-1]
        return self.places.get(location, Place(self.file))

    def told(self, location: Location) -> bool:
        """Whether the value at location could not be read: that is told already, and not a second mistake."""
        return location in self.unset or self.place(location) in {problem.place for problem in self.problems}

    def key_place(self, location: Location) -> Place:
        """Where the key of the value at location stands."""
        return self.key_places.get(location) or self.place(location)

    def text_place(self, location: Location, line: int, column: int) -> Place:
        """Where line and column (1-based) of the text at location stand in the file, or else its start."""
        node, start = self.nodes.get(location), self.place(location)
        if node is None or node.start_mark is None:
            return start
        if node.style == "|":
            return Place(self.file, start.line + line, self._block_indent(start.line) + column)
        if line == 1 and node.start_mark.line == node.end_mark.line:
            return Place(self.file, start.line, start.column + column - 1 + (1 if node.style else 0))
        return start

    def _block_indent(self, header: int) -> int:
        """Indentation of the literal block below line header (1-based): that of its first line with text."""
        first = next((text for text in self.lines[header:] if text.strip()), "")
        return len(first) - len(first.lstrip(" "))


def read_source(file: Path, environ: Mapping[str, str]) -> Source:
    """Read a YAML file and substitute variables. Never raises for its content: see ``Source.problems``."""
    name = str(file)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        return _unreadable(file, Problem(Place(name), f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return _unreadable(file, Problem(Place(name, line, 1), "is not UTF-8 text"))
    reader = _Reader(file=name, environ=environ)
    data = reader.read_text(text)
    return Source(
        file=name,
        folder=file.absolute().parent,
        data=data,
        places=reader.places,
        key_places=reader.key_places,
        nodes=reader.nodes,
        unset=reader.unset,
        typed=frozenset(reader.typed),
        problems=tuple(reader.problems),
        lines=tuple(text.splitlines()),
    )


def _unreadable(file: Path, problem: Problem) -> Source:
    return Source(
        file=str(file),
        folder=file.absolute().parent,
        data=None,
        places={},
        key_places={},
        nodes={},
        unset={},
        typed=frozenset(),
        problems=(problem,),
        lines=(),
    )


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Walks the nodes of one file."""

    file: str
    environ: Mapping[str, str]
    places: dict[Location, Place] = field(default_factory=dict)
    key_places: dict[Location, Place] = field(default_factory=dict)
    nodes: dict[Location, ScalarNode] = field(default_factory=dict)
    unset: dict[Location, str] = field(default_factory=dict)
    typed: set[Location] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    _open: set[int] = field(default_factory=set)
    _count: int = 0

    def read_text(self, text: str) -> object:
        try:
            loader = yaml.SafeLoader(text)
            node = loader.get_single_node()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = Place(self.file, mark.line + 1, mark.column + 1) if mark else Place(self.file)
            self.problems.append(Problem(place, f"is not YAML: {error.problem or error.context}"))
            return None
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            self.problems.append(Problem(Place(self.file, line, 1), "holds a character that YAML does not allow"))
            return None
        except RecursionError:
            self.problems.append(Problem(Place(self.file, 1, 1), "is nested too deeply"))
            return None
        if node is None:
            self.problems.append(Problem(Place(self.file, 1, 1), "is empty; it starts with `version: 1`"))
            return None
        return self._read(node, (), loader)

    def _read(self, node: Node, location: Location, loader: yaml.SafeLoader) -> object:
        self.places.setdefault(location, self._place(node))
        self._count += 1
        if id(node) in self._open or self._count > _MOST_NODES:
            message = "is part of itself" if id(node) in self._open else "repeats aliases too often"
            self._problem(node, message)
            return None
        if isinstance(node, ScalarNode):
            return self._scalar(node, location, loader)
        self._open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                return [self._read(item, (*location, index), loader) for index, item in enumerate(node.value)]
            assert isinstance(node, MappingNode)  # noqa: S101 -- YAML has no fourth kind
            return self._mapping(node, location, loader)
        finally:
            self._open.remove(id(node))

    def _mapping(self, node: MappingNode, location: Location, loader: yaml.SafeLoader) -> dict[str, object]:
        result: dict[str, object] = {}
        for key, value in (*_own(node), *_merged(node)):
            inherited = (key, value) not in node.value
            if not isinstance(key, ScalarNode):
                self._problem(key, "a key must be a plain word")
                continue
            at = (*location, key.value)
            if key.value in result:
                if not inherited:
                    first = self.key_places[at]
                    self._problem(key, f'the key "{key.value}" is here twice; the first is on line {first.line}')
                continue
            self.key_places[at] = self._place(key)
            result[key.value] = self._read(value, at, loader)
        return result

    def _scalar(self, node: ScalarNode, location: Location, loader: yaml.SafeLoader) -> object:
        self.nodes[location] = node
        try:
            value = loader.construct_object(node)
        except (yaml.YAMLError, ValueError):
            self._problem(node, f"cannot be read as {node.tag.rpartition(':')[2]}; put it in quotes if it is text")
            return None
        if not isinstance(value, str):
            return value
        substitution = substitute(value, self.environ)
        if substitution.malformed:
            self._problem(node, "`${` must start ${NAME} or ${NAME:-default}; write $${ for the two characters")
        if substitution.unset:
            self.unset[location] = substitution.unset[0]
            return None
        if not substitution.used:
            self.typed.add(location)
        return substitution.text

    def _place(self, node: Node) -> Place:
        return Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _problem(self, node: Node, message: str) -> None:
        self.problems.append(Problem(self._place(node), message))


def _own(node: MappingNode) -> list[tuple[Node, Node]]:
    return [(key, value) for key, value in node.value if key.tag != _MERGE]


def _merged(node: MappingNode) -> list[tuple[Node, Node]]:
    """What ``<<: *anchor`` brings in; a key of the mapping itself wins over it."""
    pairs: list[tuple[Node, Node]] = []
    for key, value in node.value:
        if key.tag == _MERGE:
            for source in value.value if isinstance(value, SequenceNode) else [value]:
                pairs += _own(source) if isinstance(source, MappingNode) else []
    return pairs
