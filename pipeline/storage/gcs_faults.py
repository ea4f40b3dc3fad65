"""What Cloud Storage means when it says no: for each such answer its kind, the reason, and what helps against it.

The first row of FAULTS that fits an answer is what it is. A reason and a remedy may name what `_words` knows.
https://cloud.google.com/storage/docs/json_api/v1/status-codes
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import (
    AccessDeniedError,
    CredentialsError,
    ObjectExistsError,
    ObjectNotFoundError,
    StorageError,
    StoreUnavailableError,
    TransferError,
)
from pipeline.storage.gcs_answers import codes_of, said, status_of
from pipeline.uri import Uri

_PERMISSION = re.compile(r"(?:does not have |Permission ')(?P<name>[a-z]+\.[a-zA-Z]+\.[a-zA-Z]+)\b")
_MEMBER = re.compile(r"^(?P<name>[^\s@]+@[^\s@]+) does not have ")
_VIEWER, _USER = "roles/storage.objectViewer", "roles/storage.objectUser"
_ROLES = {
    "storage.objects.get": _VIEWER,
    "storage.objects.list": _VIEWER,
    "storage.objects.create": _USER,
    "storage.objects.delete": _USER,
    "storage.objects.move": _USER,
    "storage.objects.update": _USER,
    "storage.buckets.get": "roles/storage.bucketViewer",
    "storage.buckets.create": "roles/storage.admin",
}
_GRANT = "gcloud storage buckets add-iam-policy-binding gs://{bucket} --member={member} --role={role}"
NO_STORE = (
    "what answers is not the store: a proxy's page, or one to sign in",
    "sign in there, or have the proxy let requests to storage.googleapis.com through",
)
SIGN_IN = "run `gcloud auth application-default login`, or `chimera up` for a local stack"


@dataclass(frozen=True)
class Fault:
    """One way of saying no.

    statuses  of the answer; None is one without, and no statuses are any
    match     what is found in the status, the store's codes for the reason, and its words
    """

    name: str
    statuses: Collection[int | None]
    match: str
    kind: type[StorageError]
    reason: str
    remedy: str = ""

    def fits(self, status: int | None, text: str) -> bool:
        return (not self.statuses or status in self.statuses) and bool(
            re.search(self.match, text, re.IGNORECASE)
        )


FAULTS = (
    Fault("not there", {404}, "", ObjectNotFoundError, "there is no such object or bucket"),
    Fault(
        "may not bill",
        {403},
        r"serviceusage\.services\.use|USER_PROJECT_DENIED",
        AccessDeniedError,
        "project {user_project} may not be billed by whoever asks (permission serviceusage.services.use is missing)",
        "ask its owner to run: gcloud projects add-iam-policy-binding {user_project} --member={member} "
        "--role=roles/serviceusage.serviceUsageConsumer",
    ),
    Fault(
        "may not list buckets",
        {403},
        r"(?:have |')storage\.buckets\.list\b",
        AccessDeniedError,
        "permission storage.buckets.list is missing",
        "name the bucket itself, which takes no such permission: chimera ls gs://BUCKET/",
    ),
    Fault(
        "permission",
        {403},
        _PERMISSION.pattern,
        AccessDeniedError,
        "permission {permission} is missing",
        f"ask the bucket's owner to run: {_GRANT}",
    ),
    Fault(
        "requester pays",
        {400},
        "requester pays bucket but no user project",
        AccessDeniedError,
        "whoever asks this bucket pays for it, and no project is named that does",
        "name one of yours, which is then billed: --user-project PROJECT, CHIMERA_USER_PROJECT=PROJECT or "
        'user_project = "PROJECT" in chimera.toml',
    ),
    Fault(
        "unknown user project",
        {400, 403},
        "user project specified in the request is invalid|unknown project",
        AccessDeniedError,
        "project {user_project}, which is to be billed, is not known to the store",
        "name one that `gcloud projects list` shows: --user-project PROJECT or CHIMERA_USER_PROJECT=PROJECT",
    ),
    Fault(
        "scopes",
        {403},
        "insufficient authentication scopes|SCOPE_INSUFFICIENT|insufficientPermissions",
        AccessDeniedError,
        "the credentials are for other things only (their scopes leave this out)",
        "run `gcloud auth application-default login`, or give this machine the scope cloud-platform",
    ),
    Fault(
        "api is off",
        {403},
        "accessNotConfigured|SERVICE_DISABLED|has not been used in project",
        AccessDeniedError,
        "the Cloud Storage API is off in the project of the credentials",
        "turn it on: gcloud services enable storage.googleapis.com",
    ),
    Fault(
        "billing is off",
        {403},
        "accountDisabled|UserProjectAccountProblem|billing account for",
        AccessDeniedError,
        "billing is off for {paying}",
        "ask its owner to link an open billing account: gcloud billing projects link PROJECT --billing-account=ID",
    ),
    Fault(
        "perimeter",
        {403},
        "vpcServiceControls",
        AccessDeniedError,
        "a perimeter of VPC Service Controls forbids it from here",
        "ask from a network inside the perimeter, or ask your administrators for an ingress rule and give them "
        "{perimeter}",
    ),
    Fault(
        "organization policy",
        {403, 412},
        r"\bconstraints/|organization's policy",
        AccessDeniedError,
        "a policy of the organization forbids it",
        "ask its administrators for an exception from {constraint}, or use a bucket that it does not bind",
    ),
    Fault(
        "retention",
        {403},
        "retentionPolicyNotMet|'s retention policy|retention policy or",
        AccessDeniedError,
        "a retention policy forbids to change or delete the object",
        "use a target in a bucket that has none",
    ),
    Fault(
        "hold",
        {403},
        "objectUnderActiveHold|is under active",
        AccessDeniedError,
        "the object is on hold, and cannot be changed or deleted",
        "release it: gcloud storage objects update {quoted} {hold}",
    ),
    Fault(
        "uniform access",
        {400},
        "uniform bucket-level access",
        AccessDeniedError,
        "the bucket has no access lists of single objects (uniform bucket-level access)",
        f"ask its owner for a role on the bucket instead: {_GRANT}",
    ),
    Fault(
        "key of its owner's",
        {400},
        "customer-supplied encryption|customerEncryption",
        AccessDeniedError,
        "the object is encrypted with a key that its owner has, and the bucket has not",
        "ask its owner to take the key off: gcloud storage objects update {quoted} --clear-encryption-key "
        "--decryption-keys=KEY",
    ),
    Fault(
        "key is off",
        {400, 403},
        r"\bCloud KMS\b",
        AccessDeniedError,
        "the Cloud KMS key of the object cannot be used",
        "ask the bucket's owner to enable it, and to run: gcloud storage service-agent --authorize-cmek=KEY",
    ),
    Fault(
        "over a limit",
        {403, 429},
        "LimitExceeded|quotaExceeded|^429",
        StoreUnavailableError,
        "the store is asked too often",
        "try again later",
    ),
    Fault(
        "nobody is signed in",
        {401},
        "anonymous caller",
        CredentialsError,
        "nobody is signed in, and the bucket is not for everybody",
        SIGN_IN,
    ),
    Fault("credentials", {401}, "", CredentialsError, "the credentials do not work, or no longer", SIGN_IN),
    Fault(
        "denied",
        {403},
        "",
        AccessDeniedError,
        "access is denied",
        "ask the bucket's owner, with these words of the store's",
    ),
    Fault("changed", {412}, "", ObjectExistsError, "the object is there already, or has changed meanwhile"),
    Fault("damaged", {400}, "crc32c", TransferError, "what arrived is not what was sent", "try again"),
    Fault(
        "store at fault",
        {None, 408, *range(500, 600)},
        "",
        StoreUnavailableError,
        "the store answered {status}",
        "try again later",
    ),
    Fault("other", (), "", StorageError, "the store answered {status}"),
)


def fault_of(error: Exception) -> Fault:
    """The row of FAULTS that an answer is."""
    status = status_of(error)
    text = " ".join((str(status), *codes_of(error), said(error)))
    return next(fault for fault in FAULTS if fault.fits(status, text))


def error_of(uri: str, error: Exception, user_project: str | None = None) -> StorageError:
    """An answer that is no success, as an error about `uri`; `user_project` is what was to be billed for it."""
    fault, words = fault_of(error), _words(uri, error, user_project)
    reason = fault.reason.format_map(words)
    if fault.kind not in {ObjectNotFoundError, ObjectExistsError}:  # of which all has been said
        reason = f"{reason} ({words['said']})"
    return fault.kind(uri, reason, fault.remedy.format_map(words))


def is_over_a_limit(error: Exception) -> bool:
    """Whether a 403 is no lack of rights: Google answers quotas and rates with it as well."""
    return fault_of(error).name == "over a limit"


def _words(uri: str, error: Exception, user_project: str | None) -> Mapping[str, Any]:
    words = said(error)
    permission, member = _PERMISSION.search(words), _MEMBER.search(words)
    name = permission["name"] if permission else ""
    identifier = re.search(r"vpcServiceControlsUniqueIdentifier:?\s*(\S+)", words)
    constraint = re.search(r"\bconstraints/[\w.]+", words)
    by_owner = user_project is None or "owning project" in words
    return {
        "uri": uri,
        "quoted": shlex.quote(uri),
        "bucket": Uri.parse(uri).bucket if uri != "gs://" else "BUCKET",
        "status": status_of(error) or "with an error",
        "said": words,
        "user_project": user_project or "PROJECT",
        "paying": "the project that the bucket belongs to" if by_owner else f"project {user_project}",
        "permission": name,
        "role": _ROLES.get(name, f"(a role with {name})" if name else _VIEWER),
        "member": _as_member(member["name"]) if member else "MEMBER",
        "perimeter": f"the identifier {identifier[1]}" if identifier else "this answer",
        "constraint": constraint[0] if constraint else "it",
        "hold": "--no-event-based-hold"
        if re.search("event.based", words, re.IGNORECASE)
        else "--no-temporary-hold",
    }


def _as_member(email: str) -> str:
    return f"{'serviceAccount' if email.endswith('.gserviceaccount.com') else 'user'}:{email}"
