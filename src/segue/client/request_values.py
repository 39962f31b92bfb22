"""What goes over the wire of what a run asked its destination."""

from __future__ import annotations

from datetime import datetime

from segue.client.values import Wire


class RequestLine(Wire):
    """Attempts of one endpoint with one answer in one slot of time. at: when the slot begins; status: of HTTP, None where there
    was no answer; outcome: `done`, `slowed down` (429) or `failed`; waited: seconds for which they were held back, added up."""

    at: datetime
    endpoint: str
    status: int | None
    outcome: str
    calls: int
    waited: float


class RunRequests(Wire):
    """When a run called its destination, the oldest first. width: seconds of a slot; a long run has wider ones."""

    run_id: str
    width: int
    items: tuple[RequestLine, ...]


class Body(Wire):
    """The beginning of a body. size: bytes of all of it; whole: whether nothing is left out."""

    text: str
    size: int
    whole: bool


class Exchange(Wire):
    """One request and its answer, of the few that are sampled. number: within the run; problem: why there was no answer;
    rows: how many people the request carries; parameters: of the address; forgotten: parameters and bodies were removed, for
    somebody in them was forgotten."""

    number: int
    at: datetime
    seconds: float
    endpoint: str
    method: str
    path: str
    attempt: int
    status: int | None
    outcome: str
    problem: str
    rows: int | None
    parameters: dict[str, str]
    request_headers: dict[str, str]
    request_body: Body | None
    answer_headers: dict[str, str]
    answer_body: Body | None
    forgotten: bool


class ExchangeList(Wire):
    """The sampled exchanges of a run, the oldest first."""

    items: tuple[Exchange, ...]
