"""Beam's portable runner, with workers that we start and counters that can be read while it runs.

Every part of Beam that is not public is used here and nowhere else: FnApiRunner's modules, its way to tell
workers apart, and where it asks them for progress. Written against Beam 2.77; another minor version may move
them, which tests/integration/test_local_dataflow.py shows.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from apache_beam.metrics import monitoring_infos
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2, endpoints_pb2
from apache_beam.runners.portability import portable_metrics
from apache_beam.runners.portability.fn_api_runner import fn_runner, worker_handlers

from chimera_nb.local.dataflow.job import now
from chimera_nb.local.dataflow.staging import Artifact
from chimera_nb.local.dataflow.store import SOCKETS
from chimera_nb.local.dataflow.worker import Worker

_WORKER = "chimera:environment:local_worker:v1"
_PROGRESS_SECONDS = 0.5
_EXIT_SECONDS = 5

StartWorker = Callable[[str, Mapping[str, str]], Worker]  # its id, its environment
OnDeath = Callable[[str, int], None]  # the worker's id, its exit code


class Pipeline:
    """A pipeline as it was staged."""

    def __init__(self, staged: bytes) -> None:
        self._proto = beam_runner_api_pb2.Pipeline.FromString(staged)
        transforms = self._proto.components.transforms
        self._step_ids = {transforms[key].unique_name: key for key in transforms}

    @property
    def environments(self) -> int:
        """How many kinds of workers it has."""
        return len(self._proto.components.environments)

    def artifacts(self) -> list[Artifact]:
        """What is to be on each worker, in the order of installation, each once."""
        found = {}
        for environment in self._proto.components.environments.values():
            for dependency in environment.dependencies:
                source = beam_runner_api_pb2.ArtifactUrlPayload.FromString(dependency.type_payload)
                name = source.url.rsplit("/", 1)[-1]
                if dependency.role_urn == common_urns.artifact_roles.STAGING_TO.urn:
                    role = beam_runner_api_pb2.ArtifactStagingToRolePayload
                    name = role.FromString(dependency.role_payload).staged_name
                found[name] = Artifact(source.url, name, source.sha256)
        return list(found.values())

    def run(self, start: StartWorker, on_death: OnDeath, workers: int, counters: Counters) -> None:
        """Run it to its end. Raises what the runner raises: a worker's error as a RuntimeError with its traceback.

        A worker that dies leaves the runner waiting for ever, so `on_death` has to end the process.
        """
        counters.step_ids = self._step_ids
        for environment in self._proto.components.environments.values():
            environment.urn, environment.payload = _WORKER, b""

        started: list[_Worker] = []

        def make_worker(_payload: bytes, *service: Any) -> _Worker:
            started.append(_Worker(start, on_death, *service))
            return started[-1]

        worker_handlers.WorkerHandler.register_environment(_WORKER, bytes)(make_worker)
        _serve_on_files()
        _Runner(counters, workers).run_via_runner_api(self._proto, PipelineOptions([]))
        for worker in started:  # at the end, for all at once: each takes most of a second to exit
            worker.wait()


class Counters:
    """The user's metrics: committed ones, and those of bundles under way. May be read from any thread."""

    def __init__(self) -> None:
        self.step_ids: Mapping[str, str] = {}  # by the steps' names
        self._lock = threading.Lock()
        self._committed: list[Any] = []
        self._under_way: dict[str, list[Any]] = {}  # by bundle
        self._commits = 0
        self._times: dict[Any, tuple[Any, str]] = {}  # value and time of its last change

    def progress_of(self, bundle: str) -> Callable[[Any], None]:
        """What takes a bundle's progress, until the next commit: an answer may come after the bundle's end."""
        began = self._commits

        def take(progress: Any) -> None:
            infos = _user_infos(progress.monitoring_infos)
            with self._lock:
                if infos and began == self._commits:
                    self._under_way[bundle] = infos

        return take

    def commit(self, infos: Iterable[Any]) -> None:
        """Take the metrics of all bundles that were under way: they have succeeded."""
        with self._lock:
            self._commits += 1
            self._under_way.clear()
            self._committed = list(monitoring_infos.consolidate([*self._committed, *_user_infos(infos)]))

    def to_metrics(self) -> list[dict[str, Any]]:
        """The API's MetricUpdates; as there, each comes committed and, under way included, tentative."""
        with self._lock:
            committed = list(self._committed)
            tentative = [*committed, *(info for infos in self._under_way.values() for info in infos)]
        return [
            *self._updates(monitoring_infos.consolidate(tentative), tentative=True),
            *self._updates(committed, tentative=False),
        ]

    def _updates(self, infos: Iterable[Any], *, tentative: bool) -> Iterable[dict[str, Any]]:
        counters, distributions, *_ = portable_metrics.from_monitoring_infos(infos, user_metrics_only=True)
        values = {key: ("Sum", {"scalar": value}) for key, value in counters.items()}
        for key, value in distributions.items():
            if not value.count:
                continue  # its mean is not a number, and JSON has none of those
            fields = {name: getattr(value, name) for name in ("count", "sum", "min", "max", "mean")}
            values[key] = ("Distribution", {"distribution": fields})
        for key, (kind, value) in values.items():
            context = {"step": self.step_ids.get(key.step, key.step), "namespace": key.metric.namespace}
            if tentative:
                context["tentative"] = "true"
            name = {"origin": "user", "name": key.metric.name, "context": context}
            yield {"name": name, "kind": kind, **value, "updateTime": self._changed((key, tentative), value)}

    def _changed(self, key: Any, value: Any) -> str:
        known = self._times.get(key)
        if known is None or known[0] != value:
            known = self._times[key] = (value, now())
        return known[1]


class _Runner(fn_runner.FnApiRunner):
    """Tells the counters of progress and of each stage that is done."""

    def __init__(self, counters: Counters, workers: int) -> None:
        super().__init__(progress_request_frequency=_PROGRESS_SECONDS)
        self._num_workers = workers
        self._counters = counters
        # The runner asks for progress, and has no use for it: the callback is ours.
        requester = fn_runner.ProgressRequester
        fn_runner.ProgressRequester = lambda handler, bundle, frequency: requester(
            handler, bundle, frequency, callback=counters.progress_of(bundle)
        )

    def _execute_bundle(self, *arguments: Any) -> Any:
        result = super()._execute_bundle(*arguments)
        self._counters.commit(result.process_bundle.monitoring_infos)
        return result


class _Worker(worker_handlers.GrpcWorkerHandler):
    """One worker process of ours."""

    def __init__(self, start: StartWorker, on_death: OnDeath, *service: Any) -> None:
        super().__init__(*service)
        self._start, self._on_death = start, on_death
        self._stopping, self._ended = threading.Event(), threading.Event()

    def port_from_worker(self, port: int) -> str:
        """What a worker finds one of the services by, which `_serve_on_files` has numbered."""
        return _socket(port)

    def start_worker(self) -> None:
        # Its str() is protobuf's text format, in which a worker reads it.
        control = endpoints_pb2.ApiServiceDescriptor(url=self.control_address)
        service = {
            "WORKER_ID": self.worker_id,
            "CONTROL_API_SERVICE_DESCRIPTOR": str(control),
        }
        self._process = self._start(self.worker_id, service)
        threading.Thread(target=self._watch, name=f"watch {self.worker_id}", daemon=True).start()

    def close(self) -> None:
        self._stopping.set()  # before it is told that there is no more work: it exits then
        super().close()

    def stop_worker(self) -> None:
        """Nothing: it stops by itself when it is told that there is no more work."""

    def wait(self) -> None:
        self._ended.wait(_EXIT_SECONDS)  # after that it is killed with its job's process

    def _watch(self) -> None:
        code = self._process.wait()
        self._ended.set()
        if not self._stopping.is_set():
            self._on_death(self.worker_id, code)


def _user_infos(infos: Iterable[Any]) -> list[Any]:
    return [info for info in infos if monitoring_infos.is_user_monitoring_info(info)]


def _serve_on_files() -> None:
    """Keep the runner's gRPC services off the network: it binds them to a port of every address of the machine.

    They are sockets in a folder of the job's own, which nobody else can enter; this process and its workers are in
    that folder, so that the names are short enough for sockets.
    """
    Path(SOCKETS).mkdir(mode=0o700, exist_ok=True)
    numbers = itertools.count(1)
    grpc = worker_handlers.grpc
    make_server = grpc.server

    def server(*arguments: Any, **options: Any) -> Any:
        made = make_server(*arguments, **options)
        bind = made.add_insecure_port

        def add_port(_address: str) -> int:
            number = next(numbers)
            bind(_socket(number))
            return number

        made.add_insecure_port = add_port
        return made

    grpc.server = server


def _socket(number: int) -> str:
    return f"unix:{SOCKETS}/{number}"
