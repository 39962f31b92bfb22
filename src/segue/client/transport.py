"""Requests to one server, and what its answers mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx

from segue.client import values

T = TypeVar("T", bound=values.Wire)
P = TypeVar("P", bound=values.Wire)


class Refused(Exception):  # noqa: N818 -- what happened, in one word
    """The server answered with a problem. problem: its code, what happened and what to do; status: of HTTP."""

    def __init__(self, problem: values.Problem) -> None:
        super().__init__(f"{problem.detail} ({problem.code})")
        self.problem = problem
        self.code = problem.code
        self.status = problem.status


class Unreachable(Exception):  # noqa: N818 -- what happened, in one word
    """Nobody answers at an address. url: the address; steps: what to do, in order; cause: what lies beneath."""

    steps = (
        "Check the address, and that `segue serve` works there.",
        "Check what stands in between: network, proxy, certificate.",
    )

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(f"Nobody answers at {url}.")
        self.url = url
        self.cause = cause


class BrokenOff(Unreachable):
    """An answer had begun and broke off; asking again may help."""


class Transport:
    """Requests below ``/api/v1/`` of a server. Every method raises Refused for a problem, Unreachable when nobody answers."""

    def __init__(self, url: str, *, token: str, seconds: float, transport: httpx.BaseTransport | None) -> None:
        self._url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=f"{self._url}/api/v1/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=seconds,
            transport=transport,
        )

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The answer to a request, whole."""
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise Unreachable(self._url, type(error).__name__) from error
        return _checked(response)

    def call(self, kind: type[T], method: str, path: str, **options: Any) -> T:
        """The answer to a request as a value."""
        response = self.request(method, path, **options)
        try:
            return kind.model_validate_json(response.content)
        except ValueError:
            raise Refused(_foreign(response)) from None

    def pages(self, kind: type[values.Page[P]], path: str, **asked: Any) -> Iterator[P]:
        """The items of every page, fetched as they are asked for."""
        params = {name: value for name, value in asked.items() if value is not None}
        while True:
            found = self.call(kind, "GET", path, params=params)
            yield from found.items
            if found.next is None:
                return
            params["cursor"] = found.next

    @contextmanager
    def streamed(self, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:
        """An answer that is read while it comes."""
        begun = False
        try:
            with self._http.stream(method, path, **options) as response:
                if not response.is_success:
                    response.read()
                begun = True
                yield _checked(response)
        except httpx.TransportError as error:
            raise (BrokenOff if begun else Unreachable)(self._url, type(error).__name__) from error


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    try:
        raise Refused(values.Problem.model_validate_json(response.content))
    except ValueError:
        raise Refused(_foreign(response)) from None


def _foreign(response: httpx.Response) -> values.Problem:
    """What to say where a proxy in between, or another program, answers in its own words."""
    return values.Problem(
        type="about:blank",
        title=response.reason_phrase,
        status=response.status_code,
        code="no_answer_of_segue",
        detail=f"The server answered with {response.status_code}, and not in the words of Segue.",
        steps=("Check that the address is the one that `segue serve` told, without a path.",),
    )
