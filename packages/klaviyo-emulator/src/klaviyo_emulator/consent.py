"""Marketing consent and suppression of a profile."""

from __future__ import annotations

from typing import Any

from klaviyo_emulator.clock import iso
from klaviyo_emulator.profiles import Profile

CHANNELS = ("email", "sms")
LIFTED_BY_SUBSCRIBING = ("UNSUBSCRIBE", "SPAM_COMPLAINT", "USER_SUPPRESSED")


def _state(profile: Profile) -> dict[str, Any]:
    """The consent of a profile: one dictionary per profile that ever had any, so that most have none."""
    if profile.consent is None:
        profile.consent = {"suppression": [], "list_suppressions": []}
    return profile.consent


def consent_of(profile: Profile, channel: str) -> str:
    """``SUBSCRIBED``, ``UNSUBSCRIBED`` or ``NEVER_SUBSCRIBED``."""
    state = (profile.consent or {}).get(channel)
    return str(state["consent"]) if state else "NEVER_SUBSCRIBED"


def suppressed(profile: Profile) -> bool:
    """Whether mail to this profile is held back."""
    return bool((profile.consent or {}).get("suppression"))


def subscribe(profile: Profile, channel: str, now: float, *, consented_at: float | None = None) -> None:
    """Give marketing consent; lifts the suppressions that a person can cause."""
    state = _state(profile)
    state[channel] = {"consent": "SUBSCRIBED", "at": consented_at or now, "updated": now}
    if channel == "email":
        state["suppression"] = [one for one in state["suppression"] if one["reason"] not in LIFTED_BY_SUBSCRIBING]
        state["list_suppressions"] = []


def unsubscribe(profile: Profile, channel: str, now: float) -> None:
    """Withdraw marketing consent everywhere."""
    state = _state(profile)
    state[channel] = {"consent": "UNSUBSCRIBED", "at": now, "updated": now}
    if channel == "email":
        _suppress(state, "UNSUBSCRIBE", now)


def unsubscribe_from_list(profile: Profile, list_id: str, now: float) -> None:
    """Withdraw consent to the mails of one list."""
    entry = {"list_id": list_id, "reason": "UNSUBSCRIBE", "timestamp": iso(now)}
    state = _state(profile)
    if all(one["list_id"] != list_id for one in state["list_suppressions"]):
        state["list_suppressions"].append(entry)


def suppress(profile: Profile, now: float) -> bool:
    """Suppress by hand; False when it was already."""
    return _suppress(_state(profile), "USER_SUPPRESSED", now)


def unsuppress(profile: Profile) -> bool:
    """Lift a suppression by hand, and no other; False when there was none."""
    have = (profile.consent or {}).get("suppression", [])
    kept = [one for one in have if one["reason"] != "USER_SUPPRESSED"]
    if len(kept) == len(have):
        return False
    _state(profile)["suppression"] = kept
    return True


def _suppress(state: dict[str, Any], reason: str, now: float) -> bool:
    if any(one["reason"] == reason for one in state["suppression"]):
        return False
    state["suppression"].append({"reason": reason, "timestamp": iso(now)})
    return True


def subscriptions(profile: Profile) -> dict[str, Any]:
    """The ``subscriptions`` attribute."""
    state = profile.consent or {"suppression": [], "list_suppressions": []}
    email, sms = _marketing(state.get("email")), _marketing(state.get("sms"))
    can_mail = email["consent"] != "UNSUBSCRIBED" and not state["suppression"]
    email |= {
        "can_receive_email_marketing": can_mail,
        "custom_method_detail": None,
        "double_optin": None,
        "suppression": list(state["suppression"]),
        "list_suppressions": list(state["list_suppressions"]),
    }
    sms |= {"can_receive_sms_marketing": sms["consent"] == "SUBSCRIBED"}
    return {"email": {"marketing": email}, "sms": {"marketing": sms}}


def _marketing(state: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "consent": state["consent"] if state else "NEVER_SUBSCRIBED",
        "consent_timestamp": iso(state["at"]) if state else None,
        "last_updated": iso(state["updated"]) if state else None,
        "method": "API" if state else None,
        "method_detail": None,
    }
