"""Changes that nobody made through the API: bulk seeds, somebody else's edits, memberships."""

from __future__ import annotations

from typing import Any

from klaviyo_emulator.api.merges import merge_people
from klaviyo_emulator.groups import Group
from klaviyo_emulator.profiles import Profile, normal_email
from klaviyo_emulator.validation import attributes_fault
from klaviyo_emulator.world import Account
from klaviyo_emulator.writing import DuplicateProfileError, NoIdentifierError, WriteMode, identifiers_of, match, write

_MODE = WriteMode(nulls="clear", unset="custom")


class BadRequestError(Exception):
    """The administration cannot do what was asked; the text says why."""

    def __init__(self, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status


def person(account: Account, email_or_id: str) -> Profile:
    """A profile by any of its addresses, or by id; raises BadRequestError 404."""
    book = account.profiles
    found = book.by_id.get(email_or_id) or book.owner("email", normal_email(email_or_id))
    if found is None:
        raise BadRequestError("there is no such profile", 404)
    return found


def put_profile(account: Account, attributes: Any, now: float, known: Profile | None = None) -> Profile:
    """Create or update a profile; nulls clear."""
    if not isinstance(attributes, dict):
        raise BadRequestError("a profile is an object of attributes")
    if fault := attributes_fault(attributes):
        raise BadRequestError(f"{fault[0]}: {fault[1]}")
    identifiers = identifiers_of(attributes)
    try:
        found = match(account.profiles, identifiers, known)
        return write(account.profiles, found, attributes, None, identifiers=identifiers, mode=_MODE, now=now)
    except DuplicateProfileError as conflict:
        raise BadRequestError(f"an identifier belongs to profile {conflict.profile_id}", 409) from None
    except NoIdentifierError:
        raise BadRequestError("a profile needs an identifier") from None


def put_list(account: Account, name_or_id: str, now: float) -> Group:
    """A list by id or name, made when it is not there."""
    group = account.find_list(name_or_id)
    if group is None:
        group = Group(account.new_group_id(), name_or_id, now)
        account.lists[group.id] = group
    return group


def join(account: Account, group: Group, emails: Any, now: float) -> int:
    """Put people into a group, made when they are not there; returns how many joined."""
    people = [
        put_profile(account, {"email": email}, now) if _new(account, email) else person(account, email)
        for email in _emails(emails)
    ]
    return sum(group.members.add(profile.id, now) for profile in people)


def leave(account: Account, group: Group, emails: Any, now: float) -> int:
    """Take people out of a group; returns how many were in it."""
    owners = [account.profiles.owner("email", normal_email(email)) for email in _emails(emails)]
    return sum(group.members.discard(profile.id, now) for profile in owners if profile is not None)


def seed(account: Account, body: dict[str, Any], now: float) -> dict[str, int]:
    """Profiles and lists in bulk: ``{"profiles": [attributes], "lists": [{"name", "emails"}]}``."""
    for attributes in body.get("profiles") or ():
        put_profile(account, attributes, now)
    joined = 0
    for entry in body.get("lists") or ():
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise BadRequestError("a list is an object with a name and emails")
        group = put_list(account, entry["name"], now)
        joined += join(account, group, entry.get("emails") or [], now)
    for entry in body.get("segments") or ():
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise BadRequestError("a segment is an object with a name and emails")
        segment = Group(account.new_group_id(), entry["name"], now)
        account.segments[segment.id] = segment
        joined += join(account, segment, entry.get("emails") or [], now)
    return {"profiles": len(account.profiles), "lists": len(account.lists), "joined": joined}


def merge_by(account: Account, source: str, into: str, now: float) -> Profile:
    """Merge two people named by address or id; returns the one that stays."""
    gone, stays = person(account, source), person(account, into)
    if gone is stays:
        raise BadRequestError("both names mean one profile")
    merge_people(account, gone, stays, now)
    return stays


def delete(account: Account, profile: Profile, now: float) -> None:
    """Remove a person from the account and from all lists, as a privacy request does."""
    for group in (*account.lists.values(), *account.segments.values()):
        group.members.discard(profile.id, now)
    account.profiles.remove(profile)


def _new(account: Account, email: str) -> bool:
    return account.profiles.owner("email", normal_email(email)) is None


def _emails(emails: Any) -> list[str]:
    if not isinstance(emails, list) or not all(isinstance(email, str) for email in emails):
        raise BadRequestError("emails is an array of strings")
    return emails
