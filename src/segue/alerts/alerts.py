"""Alerts of a workspace: who is told what, and what they were told last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from segue import logs
from segue.alerts.activity import Kind, record_activity
from segue.alerts.channel import Weight, deliver
from segue.alerts.conditions import WORDS, Condition, Outcome, State, Verdict, judge, parse_conditions, slow_headline
from segue.catalog import Catalog
from segue.catalog.activity import Alert, AlertState
from segue.catalog.base import now
from segue.errors import SegueError, UsageError
from segue.security import SecretBox

_KIN = ("fuse_blown", "failed", "recovered", "succeeded")
"""Of these the first says all that the others would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """An alert, read."""

    id: str
    name: str
    sealed: str
    conditions: tuple[Condition, ...]
    orchestrations: tuple[str, ...]


class Alerts:
    """One message per change of state. A message that cannot be sent is a warning in the recent activity, never an
    error, and is tried again when its condition is looked at next."""

    def __init__(self, catalog: Catalog, box: SecretBox) -> None:
        self._catalog = catalog
        self._box = box

    def test(self, name: str) -> None:
        """Send a message that says it is a test. Raises UsageError for an unknown name, DestinationError when it fails."""
        entry = next((entry for entry in self._entries() if entry.name == name), None)
        if entry is None:
            raise UsageError(
                f'there is no alert "{name}"', code="unknown_alert", steps=("See all of them with: segue list alerts",)
            )
        self._send(entry, title="Segue: test", body=f'This is a test of the alert "{name}". Nothing has happened.')

    def limits(self, orchestration: str) -> tuple[float, ...]:
        """Seconds after which somebody wants to know that a run of this orchestration still goes on."""
        conditions = (condition for entry in self._of(orchestration) for condition in entry.conditions)
        return tuple(sorted({c.seconds for c in conditions if c.seconds is not None}))

    def ended(self, outcome: Outcome) -> None:
        """Tell what came of a run, where it is a change."""
        for entry in self._of(outcome.orchestration):
            before = self._states(entry, outcome.orchestration_id)
            verdicts = {c: judge(c, outcome, before.get(c.key)) for c in entry.conditions}
            self._tell(entry, outcome, {c: verdict for c, verdict in verdicts.items() if verdict})

    def overdue(self, outcome: Outcome, *, limit: float) -> None:
        """Tell that a run has reached a limit of ``limits`` and still goes on. outcome: what is known of it so far."""
        slow = Verdict(state=State(name="slow"))
        for entry in self._of(outcome.orchestration):
            before = self._states(entry, outcome.orchestration_id)
            reached = [c for c in entry.conditions if c.seconds == limit]
            told = {
                c: Verdict(state=slow.state, says=slow_headline(c)) for c in reached if before.get(c.key) != slow.state
            }
            if told:
                self._tell(entry, outcome, told)

    def missed(self, subject: str, text: str, *, orchestrations: Sequence[str]) -> None:
        """Tell that a scheduled run did not begin when it should. subject: what was missed; orchestrations: its members."""
        record_activity(self._catalog, Kind.WARNING, text)
        for entry in self._entries():
            concerned = not entry.orchestrations or set(entry.orchestrations) & set(orchestrations)
            if concerned and any(condition.kind == "missed" for condition in entry.conditions):
                self._try(entry, title=f"Segue: {subject} missed", body=text, weight="warning")

    def _tell(self, entry: _Entry, outcome: Outcome, verdicts: Mapping[Condition, Verdict]) -> None:
        headlines = _headlines(verdicts)
        title = f"Segue: {outcome.orchestration}: {headlines[0]}" if headlines else ""
        lines = (*(f"{line[:1].upper()}{line[1:]}." for line in headlines[1:]), outcome.text, f"Run {outcome.run_id}")
        if not headlines or self._try(entry, title=title, body="\n".join(lines), weight=_weight(verdicts)):
            self._keep(entry, outcome.orchestration_id, {c.key: v.state for c, v in verdicts.items()})

    def _try(self, entry: _Entry, *, title: str, body: str, weight: Weight) -> bool:
        try:
            self._send(entry, title=title, body=body, weight=weight)
        except SegueError as error:
            logs.event("alert not sent", alert=entry.name, code=error.code)
            record_activity(self._catalog, Kind.WARNING, f"{error.message} {' '.join(error.steps)}")
            return False
        logs.event("alert sent", alert=entry.name)
        return True

    def _send(self, entry: _Entry, *, title: str, body: str, weight: Weight = "info") -> None:
        address = self._box.open(entry.sealed, owner=f'alert "{entry.name}"')
        deliver(entry.name, address, title=title, body=body, weight=weight)

    def _of(self, orchestration: str) -> Iterable[_Entry]:
        return [e for e in self._entries() if not e.orchestrations or orchestration in e.orchestrations]

    def _entries(self) -> list[_Entry]:
        with self._catalog.session(read_only=True) as session:
            return [
                _Entry(
                    id=row.id,
                    name=row.name,
                    sealed=row.sealed,
                    conditions=parse_conditions(row.when),
                    orchestrations=tuple(row.orchestrations),
                )
                for row in session.scalars(select(Alert).order_by(Alert.name))
            ]

    def _states(self, entry: _Entry, subject: str) -> dict[str, State]:
        query = select(AlertState).where(AlertState.alert_id == entry.id, AlertState.subject == subject)
        with self._catalog.session(read_only=True) as session:
            return {row.condition: State(name=row.state, count=row.count) for row in session.scalars(query)}

    def _keep(self, entry: _Entry, subject: str, states: Mapping[str, State]) -> None:
        with self._catalog.session() as session:
            for condition, state in states.items():
                session.merge(
                    AlertState(
                        alert_id=entry.id,
                        subject=subject,
                        condition=condition,
                        state=state.name,
                        count=state.count,
                        changed_at=now(),
                    )
                )


def _headlines(verdicts: Mapping[Condition, Verdict]) -> list[str]:
    """What is new, the weightiest first; a run that both recovered and succeeded is said to have recovered."""
    said = sorted(((WORDS.index(c.kind), c.kind, v.says) for c, v in verdicts.items() if v.says), key=lambda e: e[0])
    kin = [says for word in _KIN for _, kind, says in said if kind == word]
    return [*kin[:1], *(says for _, kind, says in said if kind not in _KIN)]


def _weight(verdicts: Mapping[Condition, Verdict]) -> Weight:
    """The worst of what is new."""
    said = {condition.kind for condition, verdict in verdicts.items() if verdict.says}
    if said & {"failed", "fuse_blown"}:
        return "failure"
    return "success" if said <= {"recovered", "succeeded"} else "warning"
