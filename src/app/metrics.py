"""What is counted, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

_EDGES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.25, 1.65, 2)

ANSWERS = Counter("proxycard_answers_total", "Real-time answers by reason", ["reason"])
STEP_SECONDS = Histogram(
    "proxycard_decision_step_seconds", "Time of a decision by step", ["step"], buckets=_EDGES
)
IN_FLIGHT = Gauge("proxycard_charges_in_flight", "Decisions being made", multiprocess_mode="sum")
INBOX_AGE_SECONDS = Gauge("proxycard_inbox_age_seconds", "Age of the oldest waiting event")
UNVERIFIED = Gauge("proxycard_unverified_requests", "Requests whose outcome is not yet certain")
