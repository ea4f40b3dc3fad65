"""What may be done in the buckets that the settings name, and in those that are asked about: by testIamPermissions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial

from chimera_nb.doctor.credentials import LOGIN, NETWORK, WITHOUT_CREDENTIALS, member
from chimera_nb.doctor.finding import Check, Finding, fault, off, ok
from chimera_nb.settings import Settings
from pipeline.errors import (
    CredentialsError,
    ObjectNotFoundError,
    RefusedError,
    StorageError,
    StoreUnavailableError,
)
from pipeline.storage import Store
from pipeline.storage.gcs_answers import said
from pipeline.uri import Uri

READ = ("storage.objects.get", "storage.objects.list")
WRITE = (*READ, "storage.objects.create", "storage.objects.delete")
_SECONDS = 10.0

Granted = Callable[[str, Collection[str]], Collection[str]]


def bucket_checks(
    settings: Settings, read: Iterable[str], write: Iterable[str], *, has_store: bool
) -> list[Check]:
    """A check for each bucket; `read` and `write` are gs:// URIs that are asked about besides the settings'.

    `has_store` is whether there is a store that may be asked: Google's, or a local stack's.
    """
    required: dict[str, tuple[str, ...]] = dict.fromkeys(
        [*_listed(settings.read_buckets), *map(_bucket_of, read)], READ
    )
    written = [*_listed(settings.write_buckets), *map(_bucket_of, write)]
    if settings.temp_location:
        written.append(_bucket_of(settings.temp_location))
    required |= dict.fromkeys(written, WRITE)
    if not required:
        says = "none is named in the settings; name some: chimera doctor gs://INPUTS --target gs://RESULTS"
        return [lambda: [off("buckets", says)]]
    if not has_store:
        return [
            lambda: [
                off(
                    "buckets",
                    f"{', '.join(required)}: no local stack runs to be asked",
                    "chimera up --detach",
                )
            ]
        ]
    is_local, granted = settings.place == "local", partial(permissions, settings.store)

    def check(name: str, needs: Collection[str]) -> Check:
        return lambda: check_bucket(name, needs, is_local=is_local, granted=granted)

    return [check(name, needs) for name, needs in required.items()]


def check_bucket(name: str, needs: Collection[str], *, is_local: bool, granted: Granted) -> Iterator[Finding]:
    """Check one bucket. `granted` gives which of the permissions there are; only its StorageError is a finding."""
    check = f"bucket {name}"
    verb = "written" if len(needs) > len(READ) else "read"
    try:
        has = granted(name, needs)
    except ObjectNotFoundError:
        if is_local and verb == "written":
            yield off(check, "is not there yet; a job makes it")
        elif is_local:
            yield fault(check, "is not there", f"chimera put FILES gs://{name}/")
        else:
            says = "is not there, or not to be seen with these credentials"
            yield fault(check, says, f"gcloud storage buckets create gs://{name}")
        return
    except CredentialsError as e:
        from google.auth.exceptions import TransportError

        if isinstance(e.__cause__, TransportError):
            yield fault(check, f"Google does not answer for the credentials ({said(e.__cause__)})", NETWORK)
        else:
            yield fault(check, WITHOUT_CREDENTIALS, LOGIN)
        return
    except StorageError as e:
        yield fault(check, e.reason, NETWORK if isinstance(e, StoreUnavailableError) else _grant(name, verb))
        return
    if missing := [permission for permission in needs if permission not in has]:
        yield fault(check, f"may not be {verb}: {', '.join(missing)} missing", _grant(name, verb))
    else:
        yield ok(check, f"may be {'read and written' if verb == 'written' else 'read'}")


def permissions(store: Store, name: str, required: Collection[str]) -> Collection[str]:
    """Those of the permissions that these credentials have in the bucket. Raises StorageError."""
    from pipeline.storage.gcs_client import Terms, bucket_of, mapped

    terms = Terms(store.cloud, store.patience, store.user_project)
    with mapped(f"gs://{name}", store.user_project, store.cloud.endpoint):
        bucket = bucket_of(name, terms)
        found: list[str] = bucket.test_iam_permissions(list(required), timeout=_SECONDS, retry=None)
    return found


def _grant(name: str, verb: str) -> str:
    role = "objectAdmin" if verb == "written" else "objectViewer"
    return (
        f"gcloud storage buckets add-iam-policy-binding gs://{name} --member={member()} --role=roles/storage.{role}"
        "    (by its owner)"
    )


def _listed(entries: Iterable[str] | None) -> list[str]:
    return [entry.partition("/")[0] for entry in entries or () if not entry.startswith("/")]


def _bucket_of(uri: str) -> str:
    if not uri.startswith("gs://"):
        raise RefusedError(f"{uri!r} is not in a bucket; write gs://bucket")
    return Uri.parse(uri).bucket
