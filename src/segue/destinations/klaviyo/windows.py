"""The rate windows of every account that this process talks to: all its connections use one budget for each account."""

from __future__ import annotations

import threading

from segue.delivery.budget import Standing, Windows
from segue.destinations.klaviyo.limits import LIMITS

_lock = threading.Lock()
_known: dict[tuple[str, float], Windows] = {}
_accounts: dict[str, Windows] = {}


def of_key(fingerprint: str, *, scale: float) -> Windows:
    """The windows of the account that a key opens; those of the key alone until ``joined`` says whose it is."""
    with _lock:
        return _known.setdefault((fingerprint, scale), Windows(LIMITS, scale=scale))


def joined(fingerprint: str, account: str, *, scale: float) -> Windows:
    """The windows of an account that a key turned out to open. account: the server's address and the account's id."""
    with _lock:
        ours = _known[fingerprint, scale]
        windows = _known.setdefault((account, scale), ours)
        if windows is not ours:
            # Nobody else holds two of these locks, so nobody waits in a circle.
            with windows.lock, ours.lock:
                windows.absorb(ours)
            _known[fingerprint, scale] = windows
        _accounts[account] = windows
        return windows


def standings() -> dict[str, dict[str, Standing]]:
    """How the endpoints of each account stand that this process has talked to, by the account's id."""
    with _lock:
        return {account.rpartition(" ")[2]: windows.standing() for account, windows in _accounts.items()}
