"""Resolve the names of a query: every table to the database or a WITH, every column to one source.

Names are resolved by scope, innermost first, without regard to case. A resolved column is written back with its
source in front, so that the engine cannot find another meaning for it (it would let an alias of the SELECT list
answer in WHERE, which Trino does not).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from segue.query import kinds
from segue.query.place import Refusal, nearest
from segue.query.values import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class _Output:
    """A column that a query or table gives; kind: its type as far as it is known (see ``kinds``)."""

    name: str
    kind: str = ""


_Outputs = tuple[_Output, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """What FROM names once; columns None: not known, as for the fields of an unnested row."""

    alias: str
    columns: _Outputs | None

    def find(self, name: str) -> _Output | None:
        return next((column for column in self.columns or () if column.name.lower() == name.lower()), None)


@dataclass(slots=True)
class _Scope:
    """The sources of one SELECT; equal: columns that a join makes equal, preserved side first; merged: USING."""

    parent: _Scope | None
    sources: list[_Source] = field(default_factory=list)
    equal: list[tuple[tuple[str, str], tuple[str, str]]] = field(default_factory=list)
    merged: dict[str, _Output] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _With:
    """What a WITH name stands for: the name in the engine's SQL, and its columns."""

    name: str
    columns: _Outputs


def resolve(query: exp.Query, tables: Tables) -> tuple[str, ...]:
    """Resolve every name of the query in place; give the database's tables that it reads, sorted.

    Raises Refusal: ``missing_table``, ``unresolved_column``, ``ambiguous_column``.
    """
    resolver = _Resolver(tables)
    resolver.query(query, {}, None)
    return tuple(sorted(resolver.used))


class _Resolver:
    def __init__(self, tables: Tables) -> None:
        self._tables = {name.lower(): (name, columns) for name, columns in tables.items()}
        self.used: set[str] = set()
        self._shadows = 0

    # queries

    def query(self, node: exp.Expr, names: Mapping[str, _With], outer: _Scope | None) -> _Outputs:
        names = self._with(node, names, outer)
        if isinstance(node, exp.Subquery):
            outputs = self.query(node.this, names, outer)
            self._order(node, _Scope(outer, sources=[_Source(alias="", columns=outputs)]), names, outputs)
            return outputs
        if isinstance(node, exp.SetOperation):
            outputs = self.query(node.this, names, outer)
            self.query(node.expression, names, outer)
            self._order(node, _Scope(outer, sources=[_Source(alias="", columns=outputs)]), names, outputs)
            return outputs
        if isinstance(node, exp.Select):
            return self._select(node, names, outer)
        if isinstance(node, exp.Values):
            return self._values(node, names, outer)
        raise Refusal("a query is expected here", node, code="unsupported_syntax")

    def _with(self, node: exp.Expr, names: Mapping[str, _With], outer: _Scope | None) -> Mapping[str, _With]:
        clause = node.args.get("with_")
        if clause is None:
            return names
        known = dict(names)
        declared: set[str] = set()
        for cte in clause.expressions:
            name = cte.alias
            if name.lower() in declared:
                raise Refusal(f"WITH names '{name}' twice", cte.args["alias"], code="syntax")
            declared.add(name.lower())
            aliases = [column.name for column in cte.args["alias"].args.get("columns") or ()]
            # The engine would read a WITH name inside its own text, where Trino still sees the table.
            unique = self._unique(name) if name.lower() in self._tables or name.lower() in names else name
            if clause.args.get("recursive") and aliases:
                known[name.lower()] = _With(name=unique, columns=tuple(_Output(name=alias) for alias in aliases))
            outputs = _renamed(self.query(cte.this, known, outer), aliases, cte)
            known[name.lower()] = _With(name=unique, columns=outputs)
            cte.args["alias"].set("this", exp.to_identifier(unique, quoted=True))
        return known

    def _unique(self, name: str) -> str:
        while True:
            self._shadows += 1
            candidate = f"{name} {self._shadows}"
            if candidate.lower() not in self._tables:
                return candidate

    def _select(self, node: exp.Select, names: Mapping[str, _With], outer: _Scope | None) -> _Outputs:
        scope = _Scope(outer)
        if (origin := node.args.get("from_")) is not None:
            self._add(origin.this, scope, names)
        for join in node.args.get("joins") or ():
            self._join(join, scope, names)
        for part in (node.args.get("where"), node.args.get("group"), node.args.get("having")):
            self._walk(part, scope, names)
        for window in node.args.get("windows") or ():
            for part in (*(window.args.get("partition_by") or ()), window.args.get("order")):
                self._walk(part, scope, names)
        outputs = self._projections(node, scope, names)
        self._order(node, scope, names, outputs)
        return outputs

    def _projections(self, node: exp.Select, scope: _Scope, names: Mapping[str, _With]) -> _Outputs:
        outputs: list[_Output] = []
        for position, item in enumerate(list(node.expressions)):
            if _is_star(item):
                outputs.extend(_star(item, scope))
                continue
            written = item.alias if isinstance(item, exp.Alias) else _spelling(item, position)
            self._walk(item, scope, names)
            value = node.expressions[position]
            if not isinstance(value, exp.Alias):
                # The engine names a column as its table does, and an expression by its own text.
                value.replace(exp.alias_(value.copy(), written, quoted=True))
            outputs.append(_Output(name=written, kind=kinds.kind_of(node.expressions[position].this)))
        return tuple(outputs)

    def _values(self, node: exp.Values, names: Mapping[str, _With], outer: _Scope | None) -> _Outputs:
        for row in node.expressions:
            self._walk(row, _Scope(outer), names)
        first = node.expressions[0]
        cells = first.expressions if isinstance(first, exp.Tuple) else [first]
        return tuple(_Output(name=f"_col{n}", kind=kinds.kind_of(cell)) for n, cell in enumerate(cells))

    def _order(self, node: exp.Expr, scope: _Scope, names: Mapping[str, _With], outputs: _Outputs) -> None:
        """Resolve ORDER BY, LIMIT and OFFSET; the names of the SELECT list come before the sources here."""
        given = {output.name.lower() for output in outputs}
        order = node.args.get("order")
        for item in order.expressions if order is not None else ():
            if isinstance(item.this, exp.Column) and not item.this.table and item.this.name.lower() in given:
                continue
            self._walk(item, scope, names)
        for part in (node.args.get("limit"), node.args.get("offset")):
            self._walk(part, scope, names)

    # sources

    def _join(self, join: exp.Join, scope: _Scope, names: Mapping[str, _With]) -> None:
        before = list(scope.sources)
        self._add(join.this, scope, names)
        for column in join.args.get("using") or ():
            found = [source.find(column.name) for source in (*before, scope.sources[-1])]
            if found[-1] is None or not any(found[:-1]):
                raise _unknown_column(column.name, column, scope)
            scope.merged[column.name.lower()] = found[-1]
        condition = join.args.get("on")
        self._walk(condition, scope, names)
        side = join.text("side").upper()
        if condition is not None and side != "FULL":
            scope.equal.extend(_equalities(condition, scope.sources[-1].alias, preserved_right=side == "RIGHT"))

    def _add(self, node: exp.Expr, scope: _Scope, names: Mapping[str, _With]) -> None:
        source = self._source(node, scope, names)
        if any(source.alias.lower() == known.alias.lower() for known in scope.sources if source.alias):
            raise Refusal(
                f"two sources are called '{source.alias}'",
                node,
                code="ambiguous_table",
                steps=("Give one of them an alias.",),
            )
        scope.sources.append(source)
        for join in node.args.get("joins") or ():
            self._join(join, scope, names)

    def _source(self, node: exp.Expr, scope: _Scope, names: Mapping[str, _With]) -> _Source:
        alias = node.args.get("alias")
        aliases = [column.name for column in alias.args.get("columns") or ()] if alias is not None else []
        shown = alias.name if alias is not None else ""
        if isinstance(node, exp.Table):
            outputs = self._table(node, names)
            return _Source(alias=shown or node.alias, columns=_renamed(outputs, aliases, node))
        if isinstance(node, exp.Unnest):
            for part in node.expressions:
                self._walk(part, scope, names)
            offset = node.args.get("offset")
            if isinstance(offset, exp.Identifier):
                aliases.append(offset.name)
            return _Source(alias=shown, columns=tuple(_Output(name=name) for name in aliases) if aliases else None)
        lateral = isinstance(node, exp.Lateral)
        inner = node.this if lateral else node
        outputs = self.query(inner, names, scope if lateral else scope.parent)
        return _Source(alias=shown, columns=_renamed(outputs, aliases, node))

    def _table(self, node: exp.Table, names: Mapping[str, _With]) -> _Outputs:
        name = node.name
        if name.lower() in names:
            found = names[name.lower()]
            actual, outputs = found.name, found.columns
        elif name.lower() in self._tables:
            actual, columns = self._tables[name.lower()]
            outputs = tuple(_Output(name=column, kind=kinds.of_type(type_)) for column, type_ in columns.items())
            self.used.add(actual)
        else:
            raise Refusal(
                f"there is no table '{name}'",
                node,
                code="missing_table",
                steps=nearest(name, [known for known, _ in self._tables.values()])
                or ("Choose a table of the query's own database.",),
            )
        if node.args.get("alias") is None:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
        node.this.replace(exp.to_identifier(actual, quoted=True).update_positions(node.this))
        return outputs

    # expressions

    def _walk(self, node: exp.Expr | None, scope: _Scope, names: Mapping[str, _With]) -> None:
        """Resolve the columns of an expression. A loop, since a chain of OR may be longer than Python's stack."""
        waiting = [node] if node is not None else []
        while waiting:
            part = waiting.pop()
            if isinstance(part, exp.Query):
                self.query(part, names, scope)
            elif isinstance(part, exp.Column):
                if not isinstance(part.this, exp.Star):
                    _bind(part, scope)
            else:
                waiting.extend(reversed(list(part.iter_expressions())))


def _is_star(item: exp.Expr) -> bool:
    return isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star))


def _star(item: exp.Expr, scope: _Scope) -> Iterable[_Output]:
    wanted = item.table if isinstance(item, exp.Column) else ""
    sources = [source for source in scope.sources if not wanted or source.alias.lower() == wanted.lower()]
    if not sources:
        raise Refusal(
            f"there is no source '{wanted}' in FROM" if wanted else "* needs a FROM",
            item,
            code="missing_table",
            steps=nearest(wanted, [source.alias for source in scope.sources]),
        )
    merged: set[str] = set()
    for source in sources:
        for column in source.columns or ():
            folded = column.name.lower()
            if not wanted and folded in scope.merged:
                if folded in merged:
                    continue
                merged.add(folded)
            yield column


def _spelling(item: exp.Expr, position: int) -> str:
    """Give the name of a column without an alias: as it is written, or Trino's ``_col0`` for an expression."""
    if isinstance(item, exp.Column | exp.Dot):
        return item.name
    return f"_col{position}"


def _renamed(outputs: _Outputs, aliases: list[str], node: exp.Expr) -> _Outputs:
    if not aliases:
        return outputs
    if len(aliases) != len(outputs):
        raise Refusal(f"the alias names {len(aliases)} columns where there are {len(outputs)}", node, code="syntax")
    return tuple(_Output(name=alias, kind=output.kind) for alias, output in zip(aliases, outputs, strict=True))


def _bind(column: exp.Column, scope: _Scope) -> None:
    """Write the source in front of a column, or leave the fields of a row behind it as they are."""
    parts = [part for part in column.parts if isinstance(part, exp.Identifier)]
    first = parts[0].name
    current: _Scope | None = scope
    while current is not None:
        if len(parts) > 1:
            named = [source for source in current.sources if source.alias.lower() == first.lower()]
            if named:
                _bind_qualified(column, parts, named[0], current)
                return
        if _bind_plain(column, parts, current):
            return
        current = current.parent
    raise _unknown_column(first if len(parts) == 1 else ".".join(part.name for part in parts), column, scope)


def _bind_qualified(column: exp.Column, parts: list[exp.Identifier], source: _Source, scope: _Scope) -> None:
    if source.columns is None:
        return
    output = source.find(parts[1].name)
    if output is None:
        raise _unknown_column(parts[1].name, parts[1], scope, source)
    if len(parts) == 2:
        column.meta["kind"] = output.kind


def _bind_plain(column: exp.Column, parts: list[exp.Identifier], scope: _Scope) -> bool:
    name = parts[0].name
    if name.lower() in scope.merged:
        column.meta["kind"] = scope.merged[name.lower()].kind
        return True
    found = [(source, output) for source in scope.sources if (output := source.find(name)) is not None]
    if not found:
        return any(source.columns is None for source in scope.sources)
    source, output = found[0] if len(found) == 1 else _preserved(column, name, found, scope)
    if len(parts) == 1:
        column.meta["kind"] = output.kind
    if source.alias:
        _qualify(column, source.alias)
    return True


def _qualify(column: exp.Column, alias: str) -> None:
    """Put the source in front; what stands behind the column are fields of a row."""
    parts = column.parts
    front = exp.to_identifier(alias, quoted=True)
    for slot, part in zip(("this", "table", "db", "catalog"), reversed((front, *parts)), strict=False):
        column.set(slot, part)


def _preserved(
    column: exp.Column, name: str, found: list[tuple[_Source, _Output]], scope: _Scope
) -> tuple[_Source, _Output]:
    """Choose among columns of one name that a join makes equal; the side that the join keeps has the value."""
    for source, output in found:
        here = (source.alias.lower(), name.lower())
        if all((here, (other.alias.lower(), name.lower())) in scope.equal for other, _ in found if other is not source):
            return source, output
    aliases = " and ".join(f"{source.alias}.{output.name}" for source, output in found)
    raise Refusal(
        f"the column '{name}' may mean {aliases}",
        column,
        code="ambiguous_column",
        steps=("Write the table or its alias in front of the column.",),
    )


def _equalities(
    condition: exp.Expr, right: str, *, preserved_right: bool
) -> Iterable[tuple[tuple[str, str], tuple[str, str]]]:
    """Give the pairs of columns that every row of the join has equal, the preserved side first."""
    for part in condition.flatten() if isinstance(condition, exp.And) else (condition,):
        sides = (part.this, part.expression) if isinstance(part, exp.EQ) else ()
        if len(sides) == 2 and all(isinstance(side, exp.Column) and side.table for side in sides):
            pair = [(side.table.lower(), side.name.lower()) for side in sides]
            if pair[0][0] == right.lower():
                pair.reverse()
            if preserved_right:
                pair.reverse()
            yield pair[0], pair[1]


def _unknown_column(name: str, node: exp.Expr, scope: _Scope, source: _Source | None = None) -> Refusal:
    sources = [source] if source is not None else scope.sources
    known = [column.name for each in sources for column in each.columns or ()]
    where = f" in '{source.alias}'" if source is not None else ""
    return Refusal(
        f"there is no column '{name}'{where}",
        node,
        code="unresolved_column",
        steps=nearest(name.split(".")[-1], known) or ("Choose a column of the tables in FROM.",),
    )
