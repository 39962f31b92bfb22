"""What can be done about a failed run."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """The word behind ``segue resolve RUN --with``; ``meaning`` says what it does."""

    RETRY = "retry"
    RESTART = "restart"
    ANEW = "anew"
    SKIP = "skip"
    UPDATE_CREDENTIAL = "update_credential"
    ALLOW_FUSE = "allow_fuse"
    CHOOSE_LIST = "choose_list"
    WAIT = "wait"

    @property
    def meaning(self) -> str:
        """One sentence for people."""
        return _MEANINGS[self]


_MEANINGS = {
    Action.RETRY: "Go on with the task that failed, with the settings with which the run began.",
    Action.RESTART: (
        "Go on with the task that failed, with the settings of today. Where nothing was sent yet, or where the settings shape "
        "what is sent, that is a new run on top of what was acknowledged."
    ),
    Action.ANEW: "Give this run up, keep what was acknowledged, and begin a new one.",
    Action.SKIP: "End the run without reading a sample back. Everything is sent, confirmed and counted by then.",
    Action.UPDATE_CREDENTIAL: "Try a new API key, keep it if it is good, and go on with the task that failed.",
    Action.ALLOW_FUSE: "Let the fuses that blew blow, in this run only, with the numbers that it has.",
    Action.CHOOSE_LIST: "Take one of the lists of this name (--list ID), and go on.",
    Action.WAIT: "Wait until the limit opens again, then go on with the task that failed.",
}
