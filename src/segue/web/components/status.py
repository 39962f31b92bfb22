"""How things stand: a word, an icon and a colour, so that none of them has to be understood alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from segue.web.components.icons import icon
from segue.web.components.parts import Part, part


@dataclass(frozen=True, slots=True)
class Look:
    """How a status looks. tone: ``good``, ``warn``, ``bad``, ``busy`` or ``idle``."""

    icon: str
    tone: str


LOOKS: Mapping[str, Look] = {
    "completed": Look("check_circle", "good"),
    "succeeded": Look("check_circle", "good"),
    "active": Look("check_circle", "good"),
    "enabled": Look("check_circle", "good"),
    "connected": Look("check_circle", "good"),
    "not connected": Look("link_off", "bad"),
    "not checked": Look("help", "idle"),
    "done": Look("check_circle", "good"),
    "completed with warnings": Look("warning", "warn"),
    "warning": Look("warning", "warn"),
    "issue": Look("warning", "warn"),
    "missed": Look("event_busy", "warn"),
    "blown": Look("error", "bad"),
    "holds": Look("check_circle", "good"),
    "failed": Look("error", "bad"),
    "error": Look("error", "bad"),
    "slowed down": Look("hourglass_bottom", "warn"),
    "running": Look("autorenew", "busy"),
    "stopping": Look("autorenew", "busy"),
    "waiting to start": Look("schedule", "idle"),
    "waiting": Look("schedule", "idle"),
    "stopped": Look("stop_circle", "idle"),
    "skipped": Look("redo", "idle"),
    "added": Look("person_add", "good"),
    "changed": Look("edit", "good"),
    "cleared": Look("backspace", "warn"),
    "kept": Look("lock", "idle"),
    "removed": Look("person_remove", "idle"),
    "rejected": Look("block", "bad"),
    "unsettled": Look("help", "warn"),
    "valid": Look("check_circle", "good"),
    "locked": Look("lock_clock", "warn"),
    "invited": Look("mail", "idle"),
    "expired": Look("timer_off", "idle"),
    "revoked": Look("block", "idle"),
    "on": Look("check_circle", "good"),
    "off": Look("radio_button_unchecked", "idle"),
    "draft": Look("edit_note", "idle"),
    "activated": Look("play_circle", "idle"),
    "inactive": Look("bedtime", "idle"),
    "admin only": Look("admin_panel_settings", "idle"),
    "checking": Look("autorenew", "busy"),
    "disabled": Look("pause_circle", "idle"),
    "never run": Look("radio_button_unchecked", "idle"),
    "to do": Look("radio_button_unchecked", "idle"),
}
_UNKNOWN = Look("help", "idle")


def status(word: str) -> Part:
    """A badge that says how something stands."""
    look = LOOKS.get(word, _UNKNOWN)
    with part("span", f"status tone-{look.tone}") as badge:
        icon(look.icon)
        part("span", text=word.capitalize())
    return badge
