"""What people are told: the recent activity, and alerts that reach them elsewhere."""

from __future__ import annotations

from segue.alerts.activity import Kind, Line, mark_seen, recent_activity, record_activity
from segue.alerts.alerts import Alerts
from segue.alerts.channel import deliver, known_address
from segue.alerts.conditions import Condition, Outcome, parse_conditions

__all__ = [
    "Alerts",
    "Condition",
    "Kind",
    "Line",
    "Outcome",
    "deliver",
    "known_address",
    "mark_seen",
    "parse_conditions",
    "recent_activity",
    "record_activity",
]
