"""Each way in which Cloud Storage says no: the reason comes first and whole, and the remedy that is given helps."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import RefreshError

from chimera_nb.settings import load_settings
from pipeline.errors import AccessDeniedError, CredentialsError, StorageError, StoreUnavailableError
from pipeline.storage import Patience, PlainStore, Store
from pipeline.storage.gcs_faults import FAULTS
from tests.fixtures.refusing_store import BODY, CALLER, Answer, RefusingStore, Request, World

URI = "gs://history/ADVANCED/2016/Jan/1/27636936/1.122943271.bz2"
LONG = f"gs://history/{'x' * 900}/1.json"
CONSTRAINT = "constraints/storage.restrictAuthTypes"


def list_folder(store: Store, uri: str) -> object:
    return list(store.list_objects(f"{uri.rpartition('/')[0]}/"))


def read(store: Store, uri: str) -> object:
    return store.read_bytes(uri)


def write(store: Store, uri: str) -> object:
    store.write_bytes(uri, BODY)
    return True


def list_buckets(store: Store, _: str) -> object:
    return store.list_buckets() or True


def lacks(permission: str, of: str = "bucket") -> Callable[[World, Request], Answer | None]:
    said = (
        f"{CALLER} does not have {permission} access to the Google Cloud Storage {of}. "
        f"Permission '{permission}' denied on resource (or it may not exist)."
    )
    return lambda world, asked: None if world.may(permission, asked.bucket) else (403, said, "forbidden")


def until_done(answer: Answer, *command: str) -> Callable[[World, Request], Answer | None]:
    """Refused until that has been done, word for word."""
    return lambda world, _: None if command in world.done else answer


def once(answer: Answer) -> Callable[[World, Request], Answer | None]:
    """Refused the first time only."""

    def refuses(world: World, _: Request) -> Answer | None:
        if ("asked",) in world.done:
            return None
        world.done.add(("asked",))
        return answer

    return refuses


def unpaid(_: World, asked: Request) -> Answer | None:
    if asked.query.get("userProject"):
        return None
    return 400, "Bucket is a requester pays bucket but no user project provided.", "required"


def project_unknown(_: World, asked: Request) -> Answer | None:
    if asked.query.get("userProject") == "my-team-1234":
        return None
    return 400, "User project specified in the request is invalid.", "invalid"


def may_not_bill(world: World, asked: Request) -> Answer | None:
    project = asked.query["userProject"]
    if world.may("serviceusage.services.use", project):
        return None
    said = f"{CALLER} does not have serviceusage.services.use access to the Google Cloud project."
    return 403, said, "forbidden"


def signed_out(said: str, reason: str) -> Callable[[World, Request], Answer | None]:
    return lambda world, _: None if world.signed_in else (401, said, reason)


def from_outside(world: World, _: Request) -> Answer | None:
    said = "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: AbC-1_2"
    return None if ("ingress", "AbC-1_2") in world.done else (403, said, "vpcServiceControls")


def constrained(world: World, _: Request) -> Answer | None:
    said = f"Request is disallowed by organization's {CONSTRAINT} constraint for 'projects/1'."
    return None if ("exception", CONSTRAINT) in world.done else (403, said, "forbidden")


def retained(_: World, asked: Request) -> Answer | None:
    said = (
        f"Object '{asked.bucket}/{asked.name}' is subject to bucket's retention policy or object retention and cannot "
        "be deleted or overwritten until 2031-01-01T00:00:00Z"
    )
    return (403, said, "retentionPolicyNotMet") if asked.bucket == "history" else None


def held(kind: str) -> Answer:
    said = f"Object 'history/x' is under active {kind} hold and cannot be deleted, overwritten or archived."
    return 403, said, "objectUnderActiveHold"


def owner_has_not_read(world: World, _: Request) -> Answer | None:
    said = "The thing is off for reasons of its own."
    return None if ("owner", said) in world.done else (403, said, "forbidden")


# What follows a remedy, out of the message itself


def by_gcloud(message: str, store: RefusingStore, _: pytest.MonkeyPatch) -> None:
    """Run the command that is named, to its end or to its closing quote."""
    store.world.gcloud(re.search(r"gcloud (?!projects list)[^`]+", message)[0])


def by_variable(message: str, _: RefusingStore, patch: pytest.MonkeyPatch) -> None:
    name = re.search(r"(\w+)=PROJECT\b", message)[1]
    patch.setenv(name, "my-team-1234")


def by_file(message: str, _: RefusingStore, __: pytest.MonkeyPatch) -> None:
    line = re.search(r'(\w+ = "PROJECT") in (\S+)', message)
    Path(line[2]).write_text(line[1].replace("PROJECT", "my-team-1234"))


def by_ingress(message: str, store: RefusingStore, _: pytest.MonkeyPatch) -> None:
    store.world.done.add(("ingress", re.search(r"give them the identifier (\S+)$", message)[1]))


def by_exception(message: str, store: RefusingStore, _: pytest.MonkeyPatch) -> None:
    store.world.done.add(("exception", re.search(r"an exception from ([\w./]+),", message)[1]))


def by_owner(message: str, store: RefusingStore, _: pytest.MonkeyPatch) -> None:
    assert "with these words of the store's" in message
    store.world.done.add(("owner", re.search(r"\((.*)\): gs://", message)[1]))


def by_other_target(message: str, _: RefusingStore, __: pytest.MonkeyPatch) -> str:
    assert "use a target in a bucket that has none" in message
    return "gs://results/x"


def by_naming_it(message: str, _: RefusingStore, __: pytest.MonkeyPatch) -> Callable[[Store, str], object]:
    assert "name the bucket itself" in message
    return list_folder


def by_signing_in_widely(message: str, store: RefusingStore, _: pytest.MonkeyPatch) -> None:
    assert (
        "run `gcloud auth application-default login`, or give this machine the scope cloud-platform"
        in message
    )
    store.world.done.add(("scoped",))


def by_trying_again(message: str, _: RefusingStore, __: pytest.MonkeyPatch) -> None:
    assert "try again" in message


@dataclass(frozen=True)
class Case:
    ask: Callable[[Store, str], object]
    refuses: Callable[[World, Request], Answer | None]
    helps: Callable[..., object]
    kind: type[StorageError] = AccessDeniedError
    project: str | None = None
    signed_in: bool = True


HOLD = ("storage", "objects", "update", URI)
CMEK = "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has been authorized."
CSEK = "The target object is encrypted by a customer-supplied encryption key."
BILLING = "The billing account for the owning project is disabled in state absent"
API = "Cloud Storage JSON API has not been used in project 1 before or it is disabled."
UNIFORM = "Cannot get legacy ACL for an object when uniform bucket-level access is enabled."
HELPED = {
    ("permission", "list"): Case(list_folder, lacks("storage.objects.list"), by_gcloud),
    ("permission", "get"): Case(read, lacks("storage.objects.get", "object"), by_gcloud),
    ("permission", "create"): Case(write, lacks("storage.objects.create", "object"), by_gcloud),
    ("permission", "delete"): Case(write, lacks("storage.objects.delete", "object"), by_gcloud),
    ("may not list buckets", ""): Case(
        list_buckets,
        lambda world, asked: None if asked.bucket else lacks("storage.buckets.list", "project")(world, asked),
        by_naming_it,
    ),
    ("requester pays", "list"): Case(list_folder, unpaid, by_variable),
    ("requester pays", "read"): Case(read, unpaid, by_variable),
    ("requester pays", "write"): Case(write, unpaid, by_variable),
    ("requester pays", "by file"): Case(read, unpaid, by_file),
    ("unknown user project", ""): Case(read, project_unknown, by_variable, project="my-team-0000"),
    ("may not bill", ""): Case(read, may_not_bill, by_gcloud, project="my-team-1234"),
    ("scopes", ""): Case(
        read,
        lambda world, _: (
            None if ("scoped",) in world.done else (403, "Insufficient Permission", "insufficientPermissions")
        ),
        by_signing_in_widely,
    ),
    ("api is off", ""): Case(
        read,
        until_done((403, API, "accessNotConfigured"), "services", "enable", "storage.googleapis.com"),
        by_gcloud,
    ),
    ("billing is off", ""): Case(
        read,
        until_done((403, BILLING, "accountDisabled"), "billing", "projects", "link", "PROJECT", "--billing-account"),
        by_gcloud,
    ),
    ("perimeter", ""): Case(list_folder, from_outside, by_ingress),
    ("organization policy", ""): Case(list_folder, constrained, by_exception),
    ("retention", ""): Case(write, retained, by_other_target),
    ("hold", "temporary"): Case(write, until_done(held("Temporary"), *HOLD, "--no-temporary-hold"), by_gcloud),
    ("hold", "by events"): Case(write, until_done(held("Event-Based"), *HOLD, "--no-event-based-hold"), by_gcloud),
    ("uniform access", ""): Case(
        read,
        lambda world, asked: None if world.may("storage.objects.get", asked.bucket) else (400, UNIFORM, "invalid"),
        lambda message, store, patch: by_gcloud(message.replace("MEMBER", f"user:{CALLER}"), store, patch),
    ),
    ("key of its owner's", ""): Case(
        read, until_done((400, CSEK, ""), *HOLD, "--clear-encryption-key", "--decryption-keys"), by_gcloud
    ),
    ("key is off", ""): Case(
        read, until_done((403, CMEK, "forbidden"), "storage", "service-agent", "--authorize-cmek"), by_gcloud
    ),
    ("over a limit", "rate"): Case(
        read, once((429, "The rate is too high.", "rateLimitExceeded")), by_trying_again, StoreUnavailableError
    ),
    ("over a limit", "quota"): Case(
        read, once((403, "The quota is used up.", "userRateLimitExceeded")), by_trying_again, StoreUnavailableError
    ),
    ("nobody is signed in", ""): Case(
        read,
        signed_out("Anonymous caller does not have storage.objects.get access to the object.", "required"),
        by_gcloud,
        CredentialsError,
        signed_in=False,
    ),
    ("credentials", ""): Case(
        read, signed_out("Invalid Credentials", "authError"), by_gcloud, CredentialsError, signed_in=False
    ),
    ("denied", ""): Case(read, owner_has_not_read, by_owner),
    ("damaged", ""): Case(
        write, once((400, "Provided CRC32C \"a\" doesn't match calculated CRC32C \"b\".", "invalid")), by_trying_again,
        StoreUnavailableError,
    ),
    ("store at fault", ""): Case(
        read, once((503, "We are busy.", "backendError")), by_trying_again, StoreUnavailableError
    ),
}  # fmt: skip
NOTHING_HELPS = {"not there", "changed", "other"}  # they say all there is


@pytest.fixture(scope="module", autouse=True)
def nothing_left_to_the_collector():
    """A connection of a refused request that nobody closes is a fault here, and not in whichever test runs by then."""
    yield
    gc.collect()


@pytest.fixture
def world(refusing_store, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("CHIMERA_USER_PROJECT", "CHIMERA_CONFIG", "CHIMERA_PLACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CHIMERA_PATIENCE", "0")
    monkeypatch.setattr(
        AnonymousCredentials, "refresh", lambda *_: None
    )  # as others, which do so at each 401
    monkeypatch.setenv("CHIMERA_DATA_DIR", str(tmp_path))
    return refusing_store


def test_no_fault_was_forgotten():
    assert {fault.name for fault in FAULTS} == {name for name, _ in HELPED} | NOTHING_HELPS
    assert {fault.name for fault in FAULTS if not fault.remedy} == NOTHING_HELPS


@pytest.mark.parametrize("case", HELPED, ids=" ".join)
def test_a_remedy_that_is_followed_helps(world, monkeypatch, case):
    name, known = case[0], HELPED[case]
    world.reset(known.refuses)
    world.world.signed_in = known.signed_in
    if known.project:
        monkeypatch.setenv("CHIMERA_USER_PROJECT", known.project)
    with pytest.raises(known.kind) as caught:
        known.ask(load_settings().store, URI)
    message, fault = str(caught.value), next(fault for fault in FAULTS if fault.name == name)
    first = re.split(r"[{(]", fault.reason)[0]
    assert message.startswith(first)  # the reason, before the object and whatever else there is to say
    assert "gs://" in message
    assert "http://" not in message
    other = known.helps(message, world, monkeypatch)
    ask, uri = (other if callable(other) else known.ask), (other if isinstance(other, str) else URI)
    assert ask(load_settings().store, uri)


def test_the_stores_own_words_are_whole_however_long_the_name_is(world):
    words = f"{'very ' * 200}sorry."
    world.reset(lambda *_: (403, words, "forbidden"))
    with pytest.raises(AccessDeniedError) as caught:
        PlainStore(patience=Patience(0)).read_bytes(LONG)
    assert str(caught.value) == (
        f"access is denied ({words}): {LONG}; ask the bucket's owner, with these words of the store's"
    )


def test_credentials_that_have_lapsed_say_so_and_are_renewed(world, monkeypatch):
    def refresh(*_: object) -> None:
        if not world.world.signed_in:
            raise RefreshError("invalid_grant: Token has been expired or revoked.")

    monkeypatch.setattr(AnonymousCredentials, "refresh", refresh)
    world.reset(signed_out("Invalid Credentials", "authError"))
    world.world.signed_in = False
    with pytest.raises(CredentialsError) as caught:
        read(load_settings().store, URI)
    message = str(caught.value)
    assert message.startswith(
        "the credentials do not work, or no longer (invalid_grant: Token has been expired"
    )
    by_gcloud(message, world, monkeypatch)
    assert read(load_settings().store, URI) == BODY


def test_a_page_to_sign_in_is_no_store(world):
    world.reply = lambda _: (200, b"<html>Please sign in</html>", {"Content-Type": "text/html"})
    try:
        with pytest.raises(StoreUnavailableError, match=r"^what answers is not the store: a proxy's page"):
            list_folder(PlainStore(patience=Patience(0)), URI)
        with pytest.raises(StoreUnavailableError, match=r"^what answers is not the store: a proxy's page"):
            read(PlainStore(patience=Patience(0)), URI)
    finally:
        del world.reply


def test_a_store_that_is_not_there_is_said_without_the_url(monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    with pytest.raises(StoreUnavailableError) as caught:
        list_folder(PlainStore(patience=Patience(0)), LONG)
    message = str(caught.value)
    assert message.startswith("the store does not answer (ConnectionError: ")
    assert "refused" in message
    assert "/storage/v1" not in message
