"""The rate budget under a clock that the test turns. Limits: klaviyo-api.md, section 6.3."""

from __future__ import annotations

import random
import threading
from bisect import bisect_left

import pytest

from segue.delivery.budget import Interrupted, Limit, RateBudget, Windows, seconds_needed

LIMITS = {"XS": Limit(burst=1, steady=15), "M": Limit(burst=10, steady=150), "L": Limit(burst=75, steady=750)}


class Clock:
    """Time passes only where somebody waits, and ``late`` seconds more, as a busy machine does it."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.late = 0.0
        self.waits: list[float] = []
        self.stopped = False

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> bool:
        assert seconds > 0
        self.waits.append(seconds)
        self.now += seconds + self.late
        return not self.stopped


def budget(clock: Clock, **more: float) -> RateBudget:
    return RateBudget(Windows(LIMITS, clock=clock, **more), pause=clock.pause)


def calls(
    made: RateBudget, clock: Clock, endpoint: str, times: int, chance: random.Random | None = None
) -> list[float]:
    """When each call went out, by a caller that comes late now and then."""
    sent = []
    for _ in range(times):
        if chance:
            clock.late = chance.choice([0.0, 0.0, 0.001, 0.09, 0.1, 0.5, 3.0]) * chance.random()
            clock.now += chance.choice([0.0, 0.0, 0.05, 0.101, 1.2]) * chance.random()
        made.acquire(endpoint)
        sent.append(clock.now)
    return sent


def most_in(window: float, sent: list[float]) -> int:
    """The greatest number of calls in any window of this length, its end not included."""
    return max(bisect_left(sent, start + window) - i for i, start in enumerate(sent))


@pytest.mark.parametrize("endpoint", sorted(LIMITS))
@pytest.mark.parametrize("seed", range(20))
def test_no_window_ever_has_more_than_its_limit(endpoint: str, seed: int) -> None:
    clock = Clock()
    sent = calls(budget(clock), clock, endpoint, 200, random.Random(seed))
    assert most_in(1.0, sent) <= LIMITS[endpoint].burst
    assert most_in(60.0, sent) <= LIMITS[endpoint].steady


def test_a_late_call_makes_no_second_too_full() -> None:
    clock = Clock()
    made = budget(clock)
    calls(made, clock, "XS", 1)
    clock.now += 2.03  # just before the end of the second slot
    sent = calls(made, clock, "XS", 2)
    assert sent[1] - sent[0] >= 1


@pytest.mark.parametrize("endpoint", sorted(LIMITS))
def test_long_work_gets_95_per_cent_of_what_is_permitted(endpoint: str) -> None:
    clock, limit = Clock(), LIMITS[endpoint]
    begin, times = clock.now, int(limit.steady) * 10
    calls(budget(clock), clock, endpoint, times)
    permitted = times / limit.steady * 60
    assert (clock.now - begin) * 0.95 <= permitted


def test_short_work_goes_at_the_burst_rate() -> None:
    clock = Clock()
    begin = clock.now
    calls(budget(clock), clock, "M", 101)
    assert 10.0 <= clock.now - begin <= 10.0 / 0.95


def test_endpoints_do_not_wait_for_each_other() -> None:
    clock = Clock()
    made = budget(clock)
    calls(made, clock, "XS", 15)
    before = clock.now
    made.acquire("L")
    assert clock.now == before
    assert made.calls == {"XS": 15, "L": 1}


def test_a_scale_multiplies_both_limits_and_zero_waits_for_nothing() -> None:
    clock = Clock()
    begin = clock.now
    sent = calls(budget(clock, scale=10), clock, "M", 1501)
    assert 60 <= clock.now - begin < 63
    assert most_in(1.0, sent) <= 100
    free = Clock()
    calls(budget(free, scale=0), free, "XS", 1000)
    assert free.waits == []


def test_a_small_scale_still_lets_one_call_through() -> None:
    clock = Clock()
    sent = calls(budget(clock, scale=0.01), clock, "XS", 2)
    assert sent[1] - sent[0] >= 60


def test_retry_after_is_obeyed_at_any_scale_and_never_shortened() -> None:
    for scale in (1.0, 0.0):
        clock = Clock()
        made = budget(clock, scale=scale)
        begin = clock.now
        made.close("L", 30)
        made.close("L", 5)
        made.acquire("L")
        assert clock.now - begin >= 30


def test_headers_lower_the_budget() -> None:
    clock = Clock()
    made = budget(clock)
    made.acquire("L")
    begin = clock.now
    made.observe("L", {"ratelimit-limit": "750", "ratelimit-remaining": "2", "ratelimit-reset": "40"})
    sent = calls(made, clock, "L", 3)
    assert sent[1] - begin < 1
    assert sent[2] - begin >= 40


def test_headers_never_raise_the_budget() -> None:
    clock = Clock()
    made = budget(clock)
    sent = []
    for _ in range(16):
        made.acquire("XS")
        sent.append(clock.now)
        made.observe("XS", {"ratelimit-limit": "9999", "ratelimit-remaining": "9999", "ratelimit-reset": "60"})
    assert most_in(1.0, sent) == 1
    assert most_in(60.0, sent) <= 15


def test_a_lower_limit_in_the_headers_holds_from_then_on() -> None:
    clock = Clock()
    made = budget(clock)
    made.observe("L", {"ratelimit-limit": "60"})
    assert most_in(60.0, calls(made, clock, "L", 150)) <= 60


def test_an_older_answer_does_not_give_back_what_was_used() -> None:
    clock = Clock()
    made = budget(clock)
    made.observe("L", {"ratelimit-remaining": "1", "ratelimit-reset": "40"})
    begin = clock.now
    made.acquire("L")
    made.observe("L", {"ratelimit-remaining": "5", "ratelimit-reset": "40"})
    made.acquire("L")
    assert clock.now - begin >= 40


@pytest.mark.parametrize("value", ["", "soon", "nan", "inf", "-1", "1e999"])
def test_strange_headers_are_passed_over(value: str) -> None:
    clock = Clock()
    made = budget(clock)
    made.observe("L", dict.fromkeys(("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"), value))
    calls(made, clock, "L", 75)
    assert clock.now - 1_000.0 < 1.1


def test_a_stop_ends_the_wait() -> None:
    clock = Clock()
    made = budget(clock)
    made.acquire("XS")
    clock.stopped = True
    with pytest.raises(Interrupted):
        made.acquire("XS")
    with pytest.raises(Interrupted):
        made.pause(3, endpoint="GET /a")
    assert made.calls == {"XS": 1}


def test_waits_over_a_second_are_told() -> None:
    clock, told = Clock(), []
    made = RateBudget(
        Windows(LIMITS, clock=clock), pause=clock.pause, on_wait=lambda name, seconds: told.append((name, seconds))
    )
    calls(made, clock, "M", 20)
    assert told == []
    made.close("M", 12)
    made.acquire("M")
    assert [name for name, _ in told] == ["M"]
    assert told[0][1] == pytest.approx(12, abs=0.2)


def test_threads_share_one_budget() -> None:
    clock, lock = Clock(), threading.Lock()

    def pause(seconds: float) -> bool:
        with lock:
            clock.now += max(0.0, min(seconds, 0.05))
        return True

    made = RateBudget(Windows(LIMITS, clock=clock), pause=pause)
    sent: list[float] = []

    def work() -> None:
        for _ in range(25):
            made.acquire("M")
            sent.append(clock.now)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made.calls == {"M": 100}
    assert max(sent) - 1_000.0 >= 9.5


@pytest.mark.parametrize(
    ("times", "limit", "seconds"),
    [
        # floor((k - 1) / steady) minutes and the rest at the burst rate: klaviyo-api.md, sections 6.3 and 10.
        (0, "M", 0),
        (1, "M", 0),
        (11, "M", 1),
        (150, "M", 14.9),
        (151, "M", 60),
        (100, "M", 9.9),
        (1_000, "M", 6 * 60 + 9.9),
        (10_000, "L", 13 * 60 + 249 / 75),
    ],
)
def test_seconds_needed(times: int, limit: str, seconds: float) -> None:
    assert seconds_needed(times, LIMITS[limit]) == pytest.approx(seconds)


def test_a_pause_over_a_second_is_told() -> None:
    told: list[tuple[str, float]] = []
    made = RateBudget(
        Windows({}), pause=lambda _: True, on_wait=lambda endpoint, seconds: told.append((endpoint, seconds))
    )
    made.pause(0.5, endpoint="GET /a")
    made.pause(15, endpoint="GET /a")
    assert told == [("GET /a", 15)]


def test_two_connections_of_one_account_share_its_windows() -> None:
    clock = Clock()
    windows = Windows(LIMITS, clock=clock)
    one, two = RateBudget(windows, pause=clock.pause), RateBudget(windows, pause=clock.pause)
    sent = [at for _ in range(10) for at in (*calls(one, clock, "XS", 1), *calls(two, clock, "XS", 1))]
    assert most_in(1.0, sent) == 1
    assert most_in(60.0, sent) <= 15
    assert (one.calls["XS"], two.calls["XS"]) == (10, 10)


def test_what_a_key_sent_before_its_account_was_known_counts_for_the_account() -> None:
    clock = Clock()
    account, key = Windows(LIMITS, clock=clock), Windows(LIMITS, clock=clock)
    known, new = RateBudget(account, pause=clock.pause), RateBudget(key, pause=clock.pause)
    sent = calls(new, clock, "XS", 10)
    new.close("M", 5)
    opens = clock.now + 5
    account.absorb(key)
    new.share(account)
    known.acquire("M")
    assert clock.now >= opens
    sent += calls(known, clock, "XS", 3) + calls(new, clock, "XS", 10)
    assert most_in(60.0, sent) <= 15


def test_what_is_left_of_the_minute_and_how_long_calls_waited() -> None:
    clock = Clock()
    windows = Windows(LIMITS, clock=clock)
    made = RateBudget(windows, pause=clock.pause)
    calls(made, clock, "XS", 3)  # the second and the third wait about a second each
    assert {name: standing.left for name, standing in windows.standing().items()} == {"XS": 12, "M": 150, "L": 750}
    assert windows.standing()["XS"].waited == pytest.approx(2, rel=0.05)
    assert windows.standing()["M"].waited == 0
    clock.now += 60
    assert windows.standing()["XS"].left == 15


def test_less_is_left_where_the_server_says_so_and_nothing_while_it_asks_for_a_pause() -> None:
    clock = Clock()
    windows = Windows(LIMITS, clock=clock)
    made = RateBudget(windows, pause=clock.pause)
    made.observe("M", {"ratelimit-limit": "150", "ratelimit-remaining": "7", "ratelimit-reset": "40"})
    assert windows.standing()["M"].left == 7
    made.close("M", 30)
    assert windows.standing()["M"].left == 0
    clock.now += 41
    assert windows.standing()["M"].left == 150


@pytest.mark.parametrize(("endpoint", "second", "minute"), [("XS", 1, 7), ("M", 5, 75), ("L", 37, 375)])
@pytest.mark.parametrize("seed", range(10))
def test_no_window_ever_has_more_than_the_share_that_is_allowed(
    endpoint: str, second: int, minute: int, seed: int
) -> None:
    clock = Clock()
    windows = Windows(LIMITS, clock=clock)
    windows.allow(0.5)
    sent = calls(RateBudget(windows, pause=clock.pause), clock, endpoint, 200, random.Random(seed))
    # One call is the least that a second admits: half of it comes of the minute.
    assert most_in(1.0, sent) <= second
    assert most_in(60.0, sent) <= minute


def test_a_share_that_changes_counts_what_was_sent_before() -> None:
    clock = Clock()
    windows = Windows(LIMITS, clock=clock)
    made = RateBudget(windows, pause=clock.pause)
    calls(made, clock, "M", 100)
    begin = clock.now
    windows.allow(0.5)
    assert windows.standing()["M"].left == 0
    made.acquire("M")
    assert clock.now - begin >= 60 - 10.5  # the 100 took ten seconds
    windows.allow(1.0)
    begin = clock.now
    calls(made, clock, "M", 50)
    assert clock.now - begin < 50 / 10 / 0.95


class Klaviyo:
    """Counts in windows of a minute that begin with their first call, as klaviyo-api.md, section 6.3 says."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.begun = -60.0
        self.counts: list[int] = []

    def call(self, budget: RateBudget) -> None:
        budget.acquire("M")
        if self.clock.now >= self.begun + 60:
            self.begun = self.clock.now
            self.counts.append(0)
        self.counts[-1] += 1
        reset = self.begun + 60 - self.clock.now
        headers = {"limit": "150", "remaining": str(150 - self.counts[-1]), "reset": str(reset)}
        budget.observe("M", {f"ratelimit-{name}": value for name, value in headers.items()})


def half(clock: Clock) -> RateBudget:
    """The budget of a process that has just begun."""
    windows = Windows(LIMITS, clock=clock)
    windows.allow(0.5)
    return RateBudget(windows, pause=clock.pause)


def test_a_run_that_follows_in_another_process_stays_within_the_share_with_the_one_before() -> None:
    clock = Clock()
    server = Klaviyo(clock)
    for times in (70, 70, 70):
        made = half(clock)
        for _ in range(times):
            server.call(made)
    # The first call of a process is what tells it how much is used: it may be one too many.
    assert max(server.counts) <= 75 + 1
    assert sum(server.counts) == 210


def test_other_programs_take_the_rest_without_slowing_the_share_down() -> None:
    clock = Clock()
    server = Klaviyo(clock)
    made = half(clock)
    server.call(made)
    clock.now += 60
    begin = clock.now
    for _ in range(75):
        server.call(made)
        server.counts[-1] += 1
    assert clock.now - begin < 75 / 5 / 0.95


def test_half_of_the_limits_takes_twice_the_time() -> None:
    # 6,000 calls: 7 full minutes of 750 and 749 more at 75 a second, or 15 of 375 and 374 more at 37.5 a second.
    assert seconds_needed(6_000, LIMITS["L"].part(0.5)) == pytest.approx(15 * 60 + 374 / 37.5)
    assert seconds_needed(6_000, LIMITS["L"]) == pytest.approx(7 * 60 + 749 / 75)
