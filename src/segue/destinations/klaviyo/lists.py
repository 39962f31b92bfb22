"""The audience list: found by id or name, made when it is not there."""

from __future__ import annotations

from itertools import islice

from segue.destinations.contract import TargetList
from segue.destinations.klaviyo.client import Answer, Client
from segue.destinations.klaviyo.limits import (
    CREATE_LIST,
    CREATES_A_DAY,
    GET_LIST_COUNT,
    GET_LISTS,
    LIST_PAGE,
    MAX_LISTS,
)
from segue.destinations.klaviyo.refusals import Json, Refusal, says_maximum
from segue.errors import DestinationError

_MOST_NAMES = 300
"""Names to choose from: thirty calls at ten a page."""


def find_list(client: Client, name: str, known_id: str | None) -> TargetList:
    """The list with this id, else the only one of this name, else one without an id. Names are not unique at Klaviyo.

    Raises DestinationError ``list_ambiguous`` with the ids to choose from.
    """
    if known_id and (known := with_count(client, known_id, name)):
        return known
    found = _named(client, name)
    if len(found) > 1:
        ids = ", ".join(item["id"] for item in found)
        raise DestinationError(
            f'Klaviyo has {len(found)} lists named "{name}" ({ids}).',
            code="list_ambiguous",
            steps=("Rename all but one of them in Klaviyo, or give the template another list_name.", "Then run again."),
            facts={"lists": [item["id"] for item in found]},
        )
    if not found:
        return TargetList(id=None, name=name)
    return with_count(client, found[0]["id"], name) or TargetList(id=None, name=name)


def list_names(client: Client) -> tuple[str, ...]:
    """Names of the lists that were changed last, sorted, each once."""
    params = {"fields[list]": "name", "sort": "-updated", "page[size]": str(LIST_PAGE)}
    found = islice(client.pages(GET_LISTS, params=params), _MOST_NAMES)
    return tuple(sorted({item["attributes"]["name"] for item in found}))


def make_list(client: Client, name: str) -> TargetList:
    """Make a list; a create whose answer was lost is looked up before it is repeated.

    Raises DestinationError ``maximum_lists`` or ``list_daily_cap``.
    """
    body = {"data": {"type": "list", "attributes": {"name": name}}}

    def arrived() -> Answer | None:
        found = _named(client, name)
        return Answer(status=201, body={"data": found[0]}) if found else None

    try:
        made = client.call(CREATE_LIST, body=body, before_repeat=arrived)
    except Refusal as refusal:
        if any(says_maximum(p) for p in refusal.problems):
            raise DestinationError(
                f"The Klaviyo account has as many lists and segments as it may have ({MAX_LISTS:,}).",
                code="maximum_lists",
                cause=refusal.problems[0].detail,
                steps=("Delete lists or segments that nobody uses in Klaviyo.", "Then run again."),
            ) from refusal
        raise refusal.as_error(code="list_refused", steps=("Try another list_name.",)) from refusal
    except DestinationError as error:
        if error.code != "limit_used_up":
            raise
        raise DestinationError(
            f"Klaviyo lets an account make {CREATES_A_DAY} lists a day, and today's are used up. {error.message}",
            code="list_daily_cap",
            steps=error.steps,
            facts=error.facts,
        ) from error
    return TargetList(id=made.body["data"]["id"], name=name, created=True, members=0)


def _named(client: Client, name: str) -> list[Json]:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    params = {"filter": f'equals(name,"{quoted}")', "fields[list]": "name", "page[size]": str(LIST_PAGE)}
    return [item for item in client.pages(GET_LISTS, params=params) if item["attributes"]["name"] == name]


def with_count(client: Client, list_id: str, name: str) -> TargetList | None:
    """A list by its id with its member count; None when there is none."""
    try:
        answer = client.call(GET_LIST_COUNT, id=list_id, params={"additional-fields[list]": "profile_count"})
    except Refusal as refusal:
        if refusal.status == 404:  # noqa: PLR2004
            return None
        raise refusal.as_error() from refusal
    return TargetList(id=list_id, name=name, members=answer.body["data"]["attributes"].get("profile_count"))


def list_gone() -> DestinationError:
    """For whoever finds that the list of a run was deleted while it worked."""
    return DestinationError(
        "The Klaviyo list of this orchestration is gone.",
        code="list_gone",
        steps=("Run again: the list is looked up by its name and made if it is not there.",),
    )
