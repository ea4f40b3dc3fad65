"""Where things are: from the environment, else from chimera.toml, else for a laptop with no cloud account.

    chimera.toml        environment                             what
    data_dir              CHIMERA_DATA_DIR                       the local stack, the SQLite job log, job output
    place                 CHIMERA_PLACE                          "cloud", or "local" (the default): no request leaves
                                                                 this machine then
    job_log               CHIMERA_JOB_LOG                        "sqlite" or "firestore"; by place if left out
    project               CHIMERA_PROJECT, GOOGLE_CLOUD_PROJECT  the Google Cloud project
    firestore_database    CHIMERA_FIRESTORE_DATABASE             "(default)" if left out
    firestore_collection  CHIMERA_FIRESTORE_COLLECTION           "dataflow-jobs" if left out
    firestore_endpoint    FIRESTORE_EMULATOR_HOST                host:port of an emulator; Google's if left out
    storage_endpoint      STORAGE_EMULATOR_HOST                  the URL of an emulator; Google's if left out
    dataflow_endpoint     CHIMERA_DATAFLOW_ENDPOINT              Google's if left out; a local stack has its own, as of
                                                                 storage
    region                CHIMERA_REGION                         the Dataflow region
    temp_location         CHIMERA_TEMP_LOCATION                  a gs:// folder for what Dataflow stages
    user_project          CHIMERA_USER_PROJECT                   the project billed where a bucket's requesters pay
    patience              CHIMERA_PATIENCE                       seconds that a person waits for a bucket that fails; 20
    job_patience          CHIMERA_JOB_PATIENCE                   seconds that a job waits for one; 600
    least_throughput      CHIMERA_LEAST_THROUGHPUT               bytes a second; a slower request is a fault; 16384
    read_buckets          CHIMERA_READ_BUCKETS                   the places that may be read; all if left out
    write_buckets         CHIMERA_WRITE_BUCKETS                  those that may be written; all if left out
    prices                CHIMERA_PRICES                         what an hour and a request cost (`chimera_nb.prices`)

    notify_webhook        CHIMERA_NOTIFY_WEBHOOK                 where the end of a job is posted to, as JSON
    notify_mail           CHIMERA_NOTIFY_MAIL                    smtp://[user:password@]host[:port], or smtps://, by
                                                                 which it is mailed
    notify_to             CHIMERA_NOTIFY_TO                      to whom: addresses with commas between them
    notify_from           CHIMERA_NOTIFY_FROM                    from whom; chimera@ the mail server if left out
    page_url              CHIMERA_PAGE_URL                       the dashboard's address, for a link in what is told

`read_buckets` and `write_buckets` are lists of buckets, `bucket/folder` and `/local/folder`: separated by commas in
the environment, arrays of texts in chimera.toml. `pipeline.storage.access_policy` has the rules; `Settings.store` is
held to them.

A table [dataflow] in chimera.toml has the rest of how Dataflow jobs run: `chimera_nb.dataflow_options` names it.

chimera.toml is looked for in the current folder and those above it, and used where only this user and root can write it
(`chimera_nb.machine.trust`); CHIMERA_CONFIG names another file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chimera_nb.chimera_toml import read_chimera_toml
from chimera_nb.dataflow_options import DataflowOptions
from chimera_nb.machine.trust import check_trusted
from chimera_nb.notices import Notices
from chimera_nb.prices import Prices
from pipeline.archives.store import store_of_archives
from pipeline.errors import SettingsError
from pipeline.folders import absolute, current_folder
from pipeline.storage import PERSON, PlainStore, Store, access_policy, bounded, cloud
from pipeline.storage.access_policy import AccessLists
from pipeline.storage.patience import JOB, JOB_SECONDS, LEAST_THROUGHPUT, number
from pipeline.user_project import USER_PROJECT

_PLACES = ("local", "cloud")
_JOB_LOGS = ("sqlite", "firestore")
_ENVIRONMENT = {
    "data_dir": ("CHIMERA_DATA_DIR",),
    "place": ("CHIMERA_PLACE",),
    "job_log": ("CHIMERA_JOB_LOG",),
    "project": ("CHIMERA_PROJECT", "GOOGLE_CLOUD_PROJECT"),
    "firestore_database": ("CHIMERA_FIRESTORE_DATABASE",),
    "firestore_collection": ("CHIMERA_FIRESTORE_COLLECTION",),
    "firestore_endpoint": ("FIRESTORE_EMULATOR_HOST",),
    "storage_endpoint": (cloud.VARIABLE,),
    "dataflow_endpoint": ("CHIMERA_DATAFLOW_ENDPOINT",),
    "region": ("CHIMERA_REGION",),
    "temp_location": ("CHIMERA_TEMP_LOCATION",),
    "user_project": (USER_PROJECT,),
    "notify_webhook": ("CHIMERA_NOTIFY_WEBHOOK",),
    "notify_mail": ("CHIMERA_NOTIFY_MAIL",),
    "notify_to": ("CHIMERA_NOTIFY_TO",),
    "notify_from": ("CHIMERA_NOTIFY_FROM",),
    "page_url": ("CHIMERA_PAGE_URL",),
}
_NUMBERS = {
    "patience": "CHIMERA_PATIENCE",
    "job_patience": JOB_SECONDS,
    "least_throughput": LEAST_THROUGHPUT,
}
_LISTS = {"read_buckets": access_policy.VARIABLES["read"], "write_buckets": access_policy.VARIABLES["write"]}

_PRICES = "CHIMERA_PRICES"

# The variables that are this project's alone. The others are Google's as well, and stand for all of its libraries.
OWN_VARIABLES = frozenset(
    {variables[0] for variables in _ENVIRONMENT.values() if variables[0].startswith("CHIMERA_")}
    | {*_NUMBERS.values(), *_LISTS.values(), _PRICES}
)


@dataclass(frozen=True)
class Settings:
    """Checked when made; raises SettingsError. The module's docstring has the fields."""

    data_dir: Path | None = None
    place: str = "local"
    job_log: str = "sqlite"
    project: str | None = None
    firestore_database: str = "(default)"
    firestore_collection: str = "dataflow-jobs"
    firestore_endpoint: str | None = None
    storage_endpoint: str | None = None
    dataflow_endpoint: str | None = None
    region: str | None = None
    temp_location: str | None = None
    user_project: str | None = None
    notify_webhook: str | None = None
    notify_mail: str | None = None
    notify_to: str | None = None
    notify_from: str | None = None
    page_url: str | None = None
    patience: float = PERSON.seconds
    job_patience: float = JOB.seconds
    least_throughput: float = JOB.bytes_per_second
    read_buckets: tuple[str, ...] | None = None
    write_buckets: tuple[str, ...] | None = None
    prices: Prices = field(default_factory=Prices)
    dataflow: DataflowOptions = field(default_factory=DataflowOptions)

    def __post_init__(self) -> None:
        _one_of("place", self.place, _PLACES)
        _one_of("job_log", self.job_log, _JOB_LOGS)
        self.notices.check(self.place)
        _ = self.store, self.job_store  # refuses lists and numbers that make no sense
        if self.job_log == "firestore" and not self.project:
            raise SettingsError(
                "the Firestore job log needs a project: set GOOGLE_CLOUD_PROJECT, or project in chimera.toml"
            )

    @property
    def notices(self) -> Notices:
        """Who is told when a job ends."""
        to = tuple(filter(None, (each.strip() for each in (self.notify_to or "").split(","))))
        return Notices(self.notify_webhook, self.notify_mail, to, self.notify_from, self.page_url)

    @property
    def folder(self) -> Path:
        """The data folder: the one that is set, else the nearest `.chimera` upward, else one right here."""
        return self.data_dir or default_data_dir()

    @property
    def access(self) -> AccessLists:
        """What may be read and written."""
        return AccessLists.of(self.read_buckets, self.write_buckets)

    @property
    def store(self) -> Store:
        """The buckets and local folders, as far as lists and place allow (local means local), for who waits."""
        return self.job_store.with_patience(
            replace(PERSON, seconds=self.patience, bytes_per_second=self.least_throughput)
        )

    @property
    def job_store(self) -> Store:
        """The same for a job, which waits out a store's bad minutes."""
        patience = replace(JOB, seconds=self.job_patience, bytes_per_second=self.least_throughput)
        service = cloud.Cloud(self.storage_endpoint, google=self.place == "cloud")
        plain = PlainStore(patience, service, self.user_project)
        return store_of_archives(bounded(plain, self.access), self._indexes())

    def _indexes(self) -> str | None:
        """Where this machine keeps what archives hold; None where there is no folder to begin from."""
        try:
            return str(self.folder / "archives")
        except SettingsError:
            return None

    def dataflow_options(self, **for_this_job: Any) -> DataflowOptions:
        """How a Dataflow job runs: the settings, and over them what is asked for one job. Raises SettingsError."""
        named = {"region": self.region, "temp_location": self.temp_location}
        return self.dataflow.under(**named).under(**for_this_job)

    def to_environment(self) -> dict[str, str]:
        """The variables that make `load_settings` give the same in another process."""
        values = {variables[0]: getattr(self, name) for name, variables in _ENVIRONMENT.items()}
        values["CHIMERA_DATA_DIR"] = self.folder
        values |= {variable: getattr(self, name) for name, variable in _NUMBERS.items()}
        for name, variable in _LISTS.items():
            entries = getattr(self, name)
            values[variable] = None if entries is None else ",".join(entries)
        values[_PRICES] = self.prices.to_text() or None
        return {variable: str(value) for variable, value in values.items() if value is not None}


def default_data_dir() -> Path:
    """Where data goes when nobody says: the nearest `.chimera` upward from the current folder, or one in it.

    Raises UntrustedError where others can write there.
    """
    here = Path(current_folder())
    near = (path for folder in (here, *here.parents) if (path := folder / ".chimera").is_dir())
    found = next(near, here / ".chimera")
    check_trusted(found, "name a folder with --data-dir or CHIMERA_DATA_DIR")
    return found


def load_settings(data_dir: Path | None = None) -> Settings:
    """The settings in force; `data_dir` wins over all."""
    values = read_chimera_toml(_ENVIRONMENT, _NUMBERS, _LISTS)
    for name, variable in _LISTS.items():
        if (listed := os.environ.get(variable)) is not None:  # an empty list allows nothing
            values[name] = access_policy.split_list(listed)
    for name, variable in _NUMBERS.items():
        if text := os.environ.get(variable):
            values[name] = number(variable, text)
    for name, variables in _ENVIRONMENT.items():
        found = next((os.environ[variable] for variable in variables if os.environ.get(variable)), None)
        if found is not None:
            values[name] = found
    values |= _prices_of_environment()
    if data_dir is not None:
        values["data_dir"] = data_dir
    if "data_dir" in values:
        values["data_dir"] = _data_dir(str(values["data_dir"]))
    if values.get("place") == "cloud":
        values.setdefault("job_log", "firestore")
    return Settings(**values)


def _data_dir(name: str) -> Path:
    folder = Path(absolute(name))
    if os.path.exists(folder) and not os.path.isdir(folder):  # noqa: PTH110, PTH112 - false where a Path raises
        raise SettingsError(
            f"the data folder {folder} is a file; name a folder with --data-dir or CHIMERA_DATA_DIR"
        )
    return folder


def _prices_of_environment() -> dict[str, Any]:
    text = os.environ.get(_PRICES)
    return {"prices": Prices.from_text(text)} if text else {}


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SettingsError(f"{name} is {value!r}; it is one of {', '.join(known)}")
