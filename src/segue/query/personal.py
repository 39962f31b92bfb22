"""Which columns of a result hold what personal columns hold, under whatever name.

Names are followed, not values: whatever an expression is made of, its result is personal when one part is, counts aside. Where
the way of a column is not clear, it counts as personal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sqlglot import exp

from segue.query.place import Refusal
from segue.query.reader import read

_COUNTS = frozenset({"count", "count_if", "approx_distinct"})
"""What is left of people's values behind these is how many there are."""

IsPersonal = Callable[[str], bool]


def personal_columns(sql: str, result: Sequence[str], is_personal: IsPersonal) -> frozenset[int]:
    """Places, from 0, of the columns of a result that are personal.

    sql: a query that was compiled before; result: the names of its columns; is_personal: of a column's name. All places, when
    the query cannot be followed.
    """
    everything = frozenset(range(len(result)))
    try:
        query = read(sql)
    except (Refusal, RecursionError):
        return everything
    names = _Names(is_personal)
    names.follow(query)
    if names.lost:
        return everything
    by_name = {place for place, name in enumerate(result) if names.holds(name)}
    by_place: set[int] = set()
    for select in _branches(query):
        shown = select.expressions
        if any(isinstance(part, exp.Star) or part.is_star for part in shown) or len(shown) != len(result):
            # With a star the places are unknown: columns have their names, and what has none counts.
            if any(names.touches(part) and not _name(part) for part in shown):
                return everything
            continue
        by_place |= {place for place, part in enumerate(shown) if names.touches(part)}
    return frozenset(by_name | by_place)


class _Names:
    """The names that are personal in one query: those that are so by themselves, and those that are made of them."""

    def __init__(self, is_personal: IsPersonal) -> None:
        self._is_personal = is_personal
        self._found: set[str] = set()
        self.lost = False

    def holds(self, name: str) -> bool:
        """Whether a column of this name is personal."""
        return name.casefold() in self._found or self._is_personal(name)

    def touches(self, part: exp.Expr) -> bool:
        """Whether an expression is made of a personal column."""
        return any(map(self.holds, _names(part)))

    def follow(self, query: exp.Query) -> None:
        """Give the names of expressions, lists of names and unions what they hold, until nothing is new."""
        before = -1
        while before != len(self._found):
            before = len(self._found)
            for alias in query.find_all(exp.Alias):
                if self.touches(alias.this):
                    self._found.add(alias.alias.casefold())
            for lateral in query.find_all(exp.TableAlias):
                self._list_of_names(lateral)
            for union in query.find_all(exp.SetOperation):
                self._union(union)
        self.lost = self.lost or any(self._is_nameless(select) for select in query.find_all(exp.Select))

    def _list_of_names(self, alias: exp.TableAlias) -> None:
        """``AS t(a, b)``: each name may be of any column of what it names."""
        source = alias.parent
        columns = alias.args.get("columns") or []
        if columns and source is not None and any(self._in_source(source, alias)):
            self._found |= {column.name.casefold() for column in columns}

    def _in_source(self, source: exp.Expr, alias: exp.TableAlias) -> Iterator[bool]:
        for node in source.find_all(exp.Column, exp.Star, exp.Table):
            if node.find_ancestor(exp.TableAlias) is alias:
                continue
            # A star, or a whole table under new names, may bring anything.
            yield not isinstance(node, exp.Column) or self.holds(node.name)

    def _union(self, union: exp.SetOperation) -> None:
        branches = list(_branches(union))
        width = {len(branch.expressions) for branch in branches}
        stars = any(part.is_star for branch in branches for part in branch.expressions)
        if stars or len(width) != 1:
            if any(self.touches(part) or part.is_star for branch in branches for part in branch.expressions):
                self.lost = True
            return
        for parts in zip(*(branch.expressions for branch in branches), strict=True):
            if any(self.touches(part) for part in parts):
                self._found |= {_name(part).casefold() for part in parts if _name(part)}

    def _is_nameless(self, select: exp.Select) -> bool:
        """Whether an inner SELECT gives something personal a name that only the engine knows."""
        around = select.parent
        inner = around.parent if isinstance(around, exp.Subquery) else around
        # The value of a subquery inside an expression has the name of that expression.
        if not isinstance(inner, exp.From | exp.Join | exp.CTE | exp.Lateral | exp.SetOperation | exp.Subquery):
            return False
        nameless = [part for part in select.expressions if not _name(part) and not part.is_star]
        return any(self.touches(part) for part in nameless)


def _names(part: exp.Expr) -> Iterator[str]:
    """The names in an expression, those of queries inside it too, without what is only counted: columns, fields of rows, and
    texts, which may be keys of maps and JSON."""
    for node in part.walk(prune=_is_count):
        match node:
            case exp.Column() | exp.Identifier():
                yield node.name
            case exp.Literal() if node.is_string:
                yield node.name.removeprefix("$.")


def _name(part: exp.Expr) -> str:
    """What a column of a SELECT is called; empty where the engine alone knows."""
    return part.alias_or_name if isinstance(part, exp.Alias | exp.Column | exp.Dot) else ""


def _is_count(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous | exp.Count) and node.name.casefold() in _COUNTS


def _branches(query: exp.Expr) -> Iterator[exp.Select]:
    """The SELECTs that give a query its rows."""
    match query:
        case exp.Select():
            yield query
        case exp.SetOperation():
            yield from _branches(query.this)
            yield from _branches(query.expression)
        case exp.Subquery() | exp.Paren():
            yield from _branches(query.this)
