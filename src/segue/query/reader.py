"""Read the user's text: one statement of Trino SQL becomes one tree."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ErrorLevel, ParseError, TokenError
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import Token, TokenType

from segue.query.place import Refusal

MAX_LENGTH = 200_000
"""Longest query text, in characters."""

_SPECIAL_FORMS = frozenset(
    {"CAST", "EXTRACT", "LISTAGG", "NORMALIZE", "OVERLAY", "POSITION", "SUBSTRING", "TRIM", "TRY_CAST"}
)
"""Functions whose arguments are no plain list."""

_STARTS = frozenset({TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN, TokenType.VALUES})
_ONE_SELECT = ("Write one SELECT. It may begin with WITH.",)


class _Parser(TrinoParser):
    FUNCTIONS: ClassVar[dict[str, Any]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
        name: parse for name, parse in TrinoParser.FUNCTION_PARSERS.items() if name in _SPECIAL_FORMS
    }


class _Reader(Trino):
    """Trino's grammar with every ordinary function left as a plain call.

    A translator that knows a function may change its meaning silently, or pass one that nobody checked. A plain call
    reaches the engine only through the published list.
    """

    INDEX_OFFSET = 0
    Parser = _Parser


def read(sql: str) -> exp.Query:
    """Read one query.

    Raises Refusal with the code ``syntax`` for text that is no SQL and ``not_a_select`` for other statements.
    """
    if len(sql) > MAX_LENGTH:
        raise Refusal(f"the query is longer than {MAX_LENGTH} characters", 0, code="too_complex")
    if "\0" in sql:
        raise Refusal("the query holds a NUL character", sql.index("\0"), code="syntax")
    dialect = _Reader()
    tokens = _one_statement(_tokens(dialect, sql))
    try:
        trees = dialect.parser(error_level=ErrorLevel.IMMEDIATE).parse(tokens, sql)
    except ParseError as error:
        raise _syntax(error, sql) from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise Refusal("this is not a SELECT", tokens[0].start, code="not_a_select", steps=_ONE_SELECT)
    return trees[0]


def _tokens(dialect: Trino, sql: str) -> list[Token]:
    try:
        return list(dialect.tokenize(sql))
    except TokenError as error:
        detail = str(error).split(" from ")[0].split("\n")[0]
        raise Refusal(f"the text cannot be read: {_without_quote(detail)}", len(sql), code="syntax") from None


def _without_quote(detail: str) -> str:
    """Leave the text around the error out of it: it may hold a person's data."""
    return "a quote or comment is not closed" if "Missing" in detail or "Error tokenizing" in detail else "bad token"


def _one_statement(tokens: list[Token]) -> list[Token]:
    while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
        tokens = tokens[:-1]
    if not tokens:
        raise Refusal("the query is empty", 0, code="syntax", steps=_ONE_SELECT)
    for position, token in enumerate(tokens):
        if token.token_type == TokenType.SEMICOLON:
            following = tokens[min(position + 1, len(tokens) - 1)]
            raise Refusal("only one statement may run", following.start, code="not_a_select", steps=_ONE_SELECT)
    if tokens[0].token_type not in _STARTS:
        raise Refusal("only a SELECT may run", tokens[0].start, code="not_a_select", steps=_ONE_SELECT)
    return tokens


def _syntax(error: ParseError, sql: str) -> Refusal:
    first: dict[str, Any] = error.errors[0] if error.errors else {}
    line, end_column = first.get("line"), first.get("col")
    offset = len(sql)
    if "SENTINEL" not in str(first.get("description")) and isinstance(line, int) and isinstance(end_column, int):
        lines = sql.split("\n")
        # The parser counts to the last character of the token that it stumbled over.
        offset = sum(len(text) + 1 for text in lines[: line - 1]) + end_column - len(first.get("highlight") or " ")
    # What follows these words are the parser's own objects, and perhaps the values of the query.
    description = re.split(" but got|Required keyword|<", str(first.get("description")))[0].rstrip(". ")
    description = description or "a part is missing here"
    return Refusal(f"this is not SQL that can be read: {description}", max(offset, 0), code="syntax")
