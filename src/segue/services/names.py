"""Finding a thing by its name, and what to say when it is not there."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from segue.errors import UsageError


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Up to three of the known names that name may have been meant to be, the likeliest first."""
    by_fold = {candidate.casefold(): candidate for candidate in sorted(known)}
    return tuple(by_fold[match] for match in get_close_matches(name.casefold(), by_fold, n=3, cutoff=0.6))


def suggestion(name: str, known: Iterable[str]) -> str:
    """A sentence part such as ``; did you mean "Loyalty"?``, or nothing when no known name is near."""
    matches = nearest(name, known)
    meant = " or ".join(f'"{match}"' for match in matches)
    return f"; did you mean {meant}?" if matches else ""


def names_by_reference(
    session: Session, reference: InstrumentedAttribute[str], name: InstrumentedAttribute[str]
) -> dict[str, list[str]]:
    """Id of what is referred to -> the names of those that refer to it, sorted."""
    found: dict[str, list[str]] = {}
    for referred, referring in session.execute(select(reference, name).order_by(name)):
        found.setdefault(referred, []).append(referring)
    return found


def unknown(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that no thing of this kind has. kind: a noun such as ``orchestration``."""
    names = sorted(known)
    steps = (f"Take one of: {', '.join(names)}.",) if names else (f"Add the {kind} to a file and `segue apply` it.",)
    return UsageError(
        f'there is no {kind} "{name}"{suggestion(name, names)}',
        code=f"unknown_{kind.replace(' ', '_')}",
        steps=steps if nearest(name, names) or not names else (*steps, "See `segue list` for all names."),
    )
