"""What is counted, for Prometheus: by this process, by its siblings, and by the database."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The setting of prometheus_client under which processes of one server keep common counts."""

_EDGES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.25, 1.65, 2)

ANSWERS = Counter("proxycard_answers_total", "Real-time answers by reason", ["reason"])
REFUSED = Counter(
    "proxycard_webhook_refused_total", "Posts to the webhooks that were not Stripe's", ["status"]
)
STEP_SECONDS = Histogram(
    "proxycard_decision_step_seconds", "Time of a decision by step", ["step"], buckets=_EDGES
)
IN_FLIGHT = Gauge(
    "proxycard_charges_in_flight", "Decisions being made", multiprocess_mode="livesum"
)
PAUSED = Gauge(
    "proxycard_charging_paused",
    "Processes that have paused charging, since charges had no clear outcome",
    multiprocess_mode="livesum",
)


class Reading(msgspec.Struct, frozen=True):
    """A gauge that is read for the scrape, and is the same whichever process is asked."""

    name: str
    meaning: str
    value: float


class _Readings(Collector):
    def __init__(self, readings: list[Reading]) -> None:
        self.readings = readings

    def collect(self) -> Iterator[Metric]:
        for reading in self.readings:
            yield GaugeMetricFamily(reading.name, reading.meaning, reading.value)


def exposition(readings: list[Reading]) -> bytes:
    """Write everything counted here and in sibling processes, and what was read for the scrape."""
    read = CollectorRegistry()
    read.register(_Readings(readings))
    return generate_latest(_counted()) + generate_latest(read)


def _counted() -> CollectorRegistry:
    folder = os.environ.get(SHARED_FOLDER)
    if folder is None:
        return REGISTRY
    _forget_dead(Path(folder))
    shared = CollectorRegistry()
    MultiProcessCollector(shared, folder)  # type: ignore[no-untyped-call]  # as the library leaves it
    return shared


def _forget_dead(folder: Path) -> None:
    """Take out the gauges of processes that are gone; what they have counted stays."""
    for pid in {int(file.stem.rpartition("_")[2]) for file in folder.glob("gauge_live*.db")}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            with suppress(FileNotFoundError):  # a sibling did the same in this moment
                mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]  # likewise
        except PermissionError:
            continue
