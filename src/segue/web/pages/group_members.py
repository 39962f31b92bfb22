"""The members of a group in a form: who, in which order, after whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nicegui import ui

from segue.web.components.fields import choice_field, needed
from segue.web.components.icons import button, icon_button
from segue.web.components.parts import part


@dataclass
class _Member:
    """One member as it stands in the form."""

    orchestration: str | None = None
    after: list[str] = field(default_factory=list)


class Members:
    """Lines that are added, moved and removed. orchestrations: names to choose from; members: as in a file."""

    def __init__(self, orchestrations: Sequence[str], members: Sequence[Mapping[str, Any]]) -> None:
        self._names = tuple(orchestrations)
        self._members = [_Member(m["orchestration"], list(m.get("after", ()))) for m in members] or [_Member()]
        self._fields: list[ui.select] = []
        part("h3", text="Members")
        self._place = part("ol", "members")
        button("Add member", on_click=self._add, name="add").classes("left")
        self._draw()

    def check(self) -> bool:
        """Whether every line names an orchestration; those that do not say so."""
        return all([needed(each) for each in self._fields])  # noqa: C419 -- each of them is to say so

    def given(self) -> list[dict[str, Any]]:
        """The members, as in a file."""
        names = {member.orchestration for member in self._members}
        return [
            {"orchestration": member.orchestration, "after": [name for name in member.after if name in names]}
            for member in self._members
        ]

    def _add(self) -> None:
        self._members.append(_Member())
        self._draw(focus=len(self._members) - 1)

    def _remove(self, at: int) -> None:
        del self._members[at]
        self._draw(focus=max(at - 1, 0))

    def _move(self, at: int) -> None:
        """One place up."""
        self._members[at - 1 : at + 1] = [self._members[at], self._members[at - 1]]
        self._draw(focus=at - 1)

    def _choose(self, at: int, name: str | None) -> None:
        self._members[at].orchestration = name
        self._draw(focus=at)

    def _draw(self, *, focus: int | None = None) -> None:
        """Draw the lines anew. focus: the line on which whoever works by keyboard goes on."""
        self._place.clear()
        self._fields = []
        with self._place:
            for at, member in enumerate(self._members):
                with part("li", "member"):
                    self._line(at, member)
        if focus is not None:
            self._fields[focus].run_method("focus")

    def _line(self, at: int, member: _Member) -> None:
        taken = {other.orchestration for other in self._members if other is not member}
        chosen = choice_field(
            f"Orchestration {at + 1}",
            [name for name in self._names if name not in taken],
            value=member.orchestration if member.orchestration in self._names else None,
        )
        chosen.on_value_change(lambda event: self._choose(at, event.value))
        self._fields.append(chosen)
        others = [name for name in sorted(filter(None, taken)) if name != member.orchestration]
        after = ui.select(
            others, label=f"After ({at + 1})", value=[name for name in member.after if name in others], multiple=True
        )
        after.props("outlined dense stack-label behavior=menu use-chips").classes("field")
        after.on_value_change(lambda event: setattr(member, "after", list(event.value or ())))
        with part("div", "actions"):
            up = icon_button("arrow_upward", f"Move up: {at + 1}", on_click=lambda: self._move(at))
            up.props["disabled"] = at == 0
            gone = icon_button("close", f"Remove: {at + 1}", on_click=lambda: self._remove(at))
            gone.props["disabled"] = len(self._members) == 1
