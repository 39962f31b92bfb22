"""Resolve the names of a query: every table to the database or a WITH, every column to one source.

Names are resolved by scope, innermost first, without regard to case. A resolved column is written back with its
source in front, so that the engine cannot find another meaning for it (it would let an alias of the SELECT list
answer in WHERE, which Trino does not).
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from segue.query import kinds
from segue.query.columns import bind, equalities, unknown_column
from segue.query.place import Refusal, nearest
from segue.query.scopes import Output, Outputs, Scope, Source, With, is_star, renamed, spelling, star
from segue.query.values import Tables


def resolve(query: exp.Query, tables: Tables) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Resolve every name of the query in place; give the database's tables that it reads, sorted, and the names of what it
    selects.

    Raises Refusal: ``missing_table``, ``unresolved_column``, ``ambiguous_column``.
    """
    resolver = _Resolver(tables)
    outputs = resolver.query(query, {}, None)
    return tuple(sorted(resolver.used)), tuple(output.name for output in outputs)


class _Resolver:
    def __init__(self, tables: Tables) -> None:
        self._tables = {name.lower(): (name, columns) for name, columns in tables.items()}
        self.used: set[str] = set()
        self._shadows = 0

    # queries

    def query(self, node: exp.Expr, names: Mapping[str, With], outer: Scope | None) -> Outputs:
        names = self._with(node, names, outer)
        if isinstance(node, exp.Subquery):
            outputs = self.query(node.this, names, outer)
            self._order(node, Scope(outer, sources=[Source(alias="", columns=outputs)]), names, outputs)
            return outputs
        if isinstance(node, exp.SetOperation):
            outputs = self.query(node.this, names, outer)
            self.query(node.expression, names, outer)
            self._order(node, Scope(outer, sources=[Source(alias="", columns=outputs)]), names, outputs)
            return outputs
        if isinstance(node, exp.Select):
            return self._select(node, names, outer)
        if isinstance(node, exp.Values):
            return self._values(node, names, outer)
        raise Refusal("a query is expected here", node, code="unsupported_syntax")

    def _with(self, node: exp.Expr, names: Mapping[str, With], outer: Scope | None) -> Mapping[str, With]:
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
                known[name.lower()] = With(name=unique, columns=tuple(Output(name=alias) for alias in aliases))
            outputs = renamed(self.query(cte.this, known, outer), aliases, cte)
            known[name.lower()] = With(name=unique, columns=outputs)
            if not aliases:
                _name_values(cte.this, cte.args["alias"], outputs)
            cte.args["alias"].set("this", exp.to_identifier(unique, quoted=True))
        return known

    def _unique(self, name: str) -> str:
        while True:
            self._shadows += 1
            candidate = f"{name} {self._shadows}"
            if candidate.lower() not in self._tables:
                return candidate

    def _select(self, node: exp.Select, names: Mapping[str, With], outer: Scope | None) -> Outputs:
        scope = Scope(outer)
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

    def _projections(self, node: exp.Select, scope: Scope, names: Mapping[str, With]) -> Outputs:
        outputs: list[Output] = []
        for position, item in enumerate(list(node.expressions)):
            if is_star(item):
                outputs.extend(star(item, scope))
                continue
            written = item.alias if isinstance(item, exp.Alias) else spelling(item, position)
            self._walk(item, scope, names)
            value = node.expressions[position]
            if not isinstance(value, exp.Alias):
                # The engine names a column as its table does, and an expression by its own text.
                value.replace(exp.alias_(value.copy(), written, quoted=True))
            outputs.append(Output(name=written, kind=kinds.kind_of(node.expressions[position].this)))
        return tuple(outputs)

    def _values(self, node: exp.Values, names: Mapping[str, With], outer: Scope | None) -> Outputs:
        for row in node.expressions:
            self._walk(row, Scope(outer), names)
        first = node.expressions[0]
        cells = first.expressions if isinstance(first, exp.Tuple) else [first]
        return tuple(Output(name=f"_col{n}", kind=kinds.kind_of(cell)) for n, cell in enumerate(cells))

    def _order(self, node: exp.Expr, scope: Scope, names: Mapping[str, With], outputs: Outputs) -> None:
        """Resolve ORDER BY, LIMIT and OFFSET; the names of the SELECT list come before the sources here."""
        given = {output.name.lower() for output in outputs}
        order = node.args.get("order")
        for item in order.expressions if order is not None else ():
            if isinstance(item.this, exp.Column) and not item.this.table and item.this.name.lower() in given:
                continue
            if isinstance(node, exp.Select):
                _spell_out(item, node)
            self._walk(item, scope, names)
        for part in (node.args.get("limit"), node.args.get("offset")):
            self._walk(part, scope, names)

    # sources

    def _join(self, join: exp.Join, scope: Scope, names: Mapping[str, With]) -> None:
        before = list(scope.sources)
        self._add(join.this, scope, names)
        for column in join.args.get("using") or ():
            found = [source.find(column.name) for source in (*before, scope.sources[-1])]
            if found[-1] is None or not any(found[:-1]):
                raise unknown_column(column.name, column, scope)
            scope.merged[column.name.lower()] = found[-1]
        condition = join.args.get("on")
        self._walk(condition, scope, names)
        side = join.text("side").upper()
        if condition is not None and side != "FULL":
            scope.equal.extend(equalities(condition, scope.sources[-1].alias, preserved_right=side == "RIGHT"))

    def _add(self, node: exp.Expr, scope: Scope, names: Mapping[str, With]) -> None:
        source = self._source(node, scope, names)
        if any(source.alias.lower() == known.alias.lower() for known in scope.sources if source.alias):
            raise Refusal(
                f"two sources are called '{source.alias}'",
                node,
                code="ambiguous_table",
                steps=("Give one of them an alias.",),
            )
        scope.sources.append(source)

    def _source(self, node: exp.Expr, scope: Scope, names: Mapping[str, With]) -> Source:
        alias = node.args.get("alias")
        aliases = [column.name for column in alias.args.get("columns") or ()] if alias is not None else []
        shown = alias.name if alias is not None else ""
        if isinstance(node, exp.Table):
            outputs = self._table(node, names)
            return Source(alias=shown or node.alias, columns=renamed(outputs, aliases, node))
        if isinstance(node, exp.Unnest):
            for part in node.expressions:
                self._walk(part, scope, names)
            return Source(alias=shown, columns=tuple(Output(name=name) for name in _unnested(node, aliases)))
        lateral = isinstance(node, exp.Lateral)
        inner = node.this if lateral else node
        outputs = self.query(inner, names, scope if lateral else scope.parent)
        if not shown:
            # With a name its columns can be told from the aliases of the SELECT list.
            shown = self._unique("from")
            node.set("alias", exp.TableAlias(this=exp.to_identifier(shown, quoted=True)))
        if not aliases:
            _name_values(inner, node.args["alias"], outputs)
        return Source(alias=shown, columns=renamed(outputs, aliases, node))

    def _table(self, node: exp.Table, names: Mapping[str, With]) -> Outputs:
        name = node.name
        if name.lower() in names:
            found = names[name.lower()]
            actual, outputs = found.name, found.columns
        elif name.lower() in self._tables:
            actual, columns = self._tables[name.lower()]
            outputs = tuple(Output(name=column, kind=kinds.of_type(type_)) for column, type_ in columns.items())
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

    def _walk(self, node: exp.Expr | None, scope: Scope, names: Mapping[str, With]) -> None:
        """Resolve the columns of an expression. A loop, since a chain of OR may be longer than Python's stack."""
        waiting = [node] if node is not None else []
        while waiting:
            part = waiting.pop()
            if isinstance(part, exp.Query):
                self.query(part, names, scope)
            elif isinstance(part, exp.Column):
                if not isinstance(part.this, exp.Star):
                    bind(part, scope)
            else:
                waiting.extend(reversed(list(part.iter_expressions())))


def _spell_out(item: exp.Expr, select: exp.Select) -> None:
    """Put the expressions of the SELECT list in the place of their names inside of an ORDER BY expression.

    The names of the SELECT list come first for Trino; the engine would take the source's column.
    """
    values = {value.alias.lower(): value.this for value in select.expressions if isinstance(value, exp.Alias)}
    for column in list(item.find_all(exp.Column)):
        value = values.get(column.name.lower())
        if value is not None and not column.table and column.find_ancestor(exp.Query) is select:
            column.replace(exp.Paren(this=value.copy()))


def _name_values(query: exp.Expr, alias: exp.Expr, outputs: Outputs) -> None:
    """Name the columns of VALUES as Trino does; the engine has other names for them."""
    while isinstance(query, exp.Subquery):
        query = query.this
    if isinstance(query, exp.Values):
        alias.set("columns", [exp.to_identifier(output.name, quoted=True) for output in outputs])


def _unnested(node: exp.Unnest, aliases: list[str]) -> list[str]:
    offset = node.args.get("offset")
    names = [*aliases, offset.name] if isinstance(offset, exp.Identifier) else aliases
    if not names:
        raise Refusal(
            "the columns of UNNEST have no names",
            node,
            code="unsupported_syntax",
            steps=("Name them: UNNEST(...) AS t(x).",),
        )
    return names
