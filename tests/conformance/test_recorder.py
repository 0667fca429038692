"""The recorder keeps each kind of problem once and knows whose fault a refused request is."""

from collections.abc import Sequence
from typing import Any

from stripe_sandbox.answering import Exchange
from tests.conformance.recorder import Recorder

BALANCE = {
    "object": "balance",
    "available": [],
    "connect_reserved": [],
    "livemode": False,
    "pending": [],
}
REFUSAL = {"error": {"type": "invalid_request_error", "message": "Received unknown parameter"}}


def exchange(
    status: int,
    response: Any,
    *,
    template: str = "/v1/balance",
    pairs: Sequence[tuple[str, str]] = (),
) -> Exchange:
    return Exchange("GET", template, {}, list(pairs), status, response)


def test_a_good_exchange_leaves_nothing() -> None:
    recorder = Recorder()
    recorder(exchange(200, BALANCE))
    assert recorder.problems == []
    assert recorder.exchanges == 1


def test_the_same_problem_is_kept_once_for_all_places() -> None:
    recorder = Recorder()
    for number in range(3):
        page = {"object": "list", "data": [{}] * (number + 1), "has_more": False, "url": "/v1/x"}
        recorder(exchange(200, page, template="/v1/charges/{charge}/refunds"))
    assert any("data[]: 'amount' is a required property" in line for line in recorder.problems)
    assert len(recorder.problems) == len(set(recorder.problems))
    assert {line.split(" · ")[0] for line in recorder.problems} == {
        "GET /v1/charges/{charge}/refunds answered 200"
    }
    assert recorder.take() != []
    assert recorder.take() == []


def test_a_wrong_request_that_was_refused_counts_only_when_told() -> None:
    for strict, expected in ((False, 0), (True, 1)):
        recorder = Recorder(strict_requests=strict)
        recorder(exchange(400, REFUSAL, pairs=[("shoe", "43")]))
        assert len(recorder.problems) == expected


def test_a_wrong_request_that_was_accepted_always_counts() -> None:
    recorder = Recorder()
    recorder(exchange(200, BALANCE, pairs=[("shoe", "43")]))
    assert len(recorder.problems) == 1


def test_faults_that_a_test_made_are_not_looked_at() -> None:
    recorder = Recorder()
    recorder(exchange(500, {"oops": True}))
    recorder(exchange(200, None))
    assert recorder.problems == []


def test_events_are_checked_with_what_they_carry() -> None:
    recorder = Recorder()
    recorder.event({"object": "event", "type": "balance.available", "data": {"object": BALANCE}})
    assert all(line.startswith("event balance.available · ") for line in recorder.problems)
    assert not any("data.object" in line for line in recorder.problems)
    recorder.event({"object": "event", "type": "x", "data": {"object": {"object": "balance"}}})
    assert any("data.object.body" in line for line in recorder.problems)
