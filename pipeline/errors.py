"""Every error that chimera raises on purpose.

    ChimeraError
    ├── RefusedError (ValueError)            the request is wrong: nothing has been run or written
    │   ├── InvalidUriError                  not a gs:// URI nor a local path
    │   ├── InvalidPatternError              a glob that cannot be read
    │   ├── UnknownNameError (LookupError)   no such source, codec or job
    │   ├── NothingMatchesError              inputs that match no file
    │   ├── NothingNewError                  no file of a selection is newer than the output that is added to
    │   ├── TargetError                      the target cannot take the output
    │   └── SettingsError                    a setting is missing or makes no sense
    │       └── UntrustedError (StackError)      a file that was found, and that others can write
    ├── StorageError (OSError)               the store said no, or said nothing
    │   ├── ObjectNotFoundError (FileNotFoundError)
    │   ├── ObjectExistsError (FileExistsError)
    │   ├── ObjectChangedError               not the version any more that was first read
    │   ├── NoStackError (StackError)        a bucket is asked for where only a local stack may be, and none runs
    │   ├── AccessDeniedError (PermissionError)
    │   │   ├── NotAllowedError (RefusedError)   a URI outside the access lists of a store
    │   │   └── CredentialsError                 also a StoreUnavailableError
    │   └── StoreUnavailableError (ConnectionError)   the store is at fault: it says nothing about an object
    │       ├── TransferError                    what came, or went, is not what the store keeps
    │       └── ProcessEndedError                a process that worked at it for this one has ended too early
    ├── BadFileError (ValueError)            one input file cannot be used; the job goes on
    │   ├── CutOffError                      its data ends too early
    │   ├── HoldsFilesError                  it is an archive, whose files are read one by one
    │   └── BesideDataError                  it lies beside data in an archive, and is none
    ├── JobError (RuntimeError)              a job as a whole came to nothing
    │   ├── TooManyFailuresError             more failed files than the job allows, or all of them
    │   └── ReconciliationError              the ledger and the output do not agree
    ├── DataflowError (RuntimeError)         Dataflow said no, or said nothing
    ├── JobLogError (RuntimeError)           the job log cannot do what was asked
    │   ├── JobExistsError                   an id is given once
    │   ├── JobNotFoundError (LookupError)
    │   └── UnreadableRecordError            a document in it is no record of a job
    └── StackError (RuntimeError)            the local stack cannot start, stop or be found

A message names the reason, the object or value that offends, and what to do about it, in one line.
"""

from __future__ import annotations

import copyreg
from typing import Any, Self

from pipeline.near_names import shown, there_are


class ChimeraError(Exception):
    """The root: catch this to catch all that chimera raises on purpose.

    Attribute: subject (the name that the text begins with, as it is written; "" where it begins with a word).
    """

    subject = ""

    def __reduce__(self) -> tuple[Any, ...]:
        """As it is, for another process: an error is made of other arguments than of its text."""
        new = copyreg.__newobj__  # type: ignore[attr-defined]  # its stub lacks it
        return new, (type(self),), {**self.__dict__, "args": self.args}

    @property
    def sentence(self) -> str:
        """The text with a capital, unless a name is first, and a full stop."""
        text = str(self)
        text = text if self.subject else text[:1].upper() + text[1:]
        return text if text.endswith((".", "…")) else f"{text}."


class RefusedError(ChimeraError, ValueError):
    """The request is wrong. Nothing has been run or written; the command line exits with 2."""


class InvalidUriError(RefusedError):
    """Not a gs:// URI nor a local path."""


class InvalidPatternError(RefusedError):
    """A glob that cannot be read."""


class UnknownNameError(RefusedError, LookupError):
    """A name that nothing is registered under.

    Attributes: kind (what was looked for), name (what was asked), known (the names there are).
    """

    def __init__(self, kind: str, name: str, known: list[str]) -> None:
        name = str(name)  # whatever was asked for
        self.kind, self.name, self.known = kind, name, sorted(known)
        super().__init__(f"no {kind} is named {shown(name)!r}; {there_are(name, self.known)}")


class OptionRefusedError(RefusedError):
    """An option of a job that does not do, or not with the others. Attribute: option, its name."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


class NothingMatchesError(RefusedError):
    """Inputs that match no file. Attributes: patterns (all that were tried)."""

    def __init__(self, message: str, patterns: list[str]) -> None:
        self.patterns = patterns
        super().__init__(message)


class NothingNewError(RefusedError):
    """No file of a selection is new or replaced since an earlier job: its output is up to date.

    Attribute: since (what was found, as summary.json of a job that adds to another has it).
    """

    def __init__(self, message: str, since: dict[str, Any]) -> None:
        self.since = since
        super().__init__(message)


class TargetError(RefusedError):
    """The target cannot take the output: absent, not writable, full of output, or among the inputs."""


class SettingsError(RefusedError):
    """A setting is missing or makes no sense."""


class StorageError(ChimeraError, OSError):
    """The store said no, or said nothing.

    Attributes: uri; reason; remedy. The text is "URI: reason", or "reason: URI; remedy" where there is a remedy, be it
    an empty one.
    """

    def __init__(self, uri: str, reason: str, remedy: str | None = None) -> None:
        self.uri, self.reason, self.remedy = uri, reason, remedy
        self.subject = uri if remedy is None else ""
        told = f"{uri}: {reason}" if remedy is None else _with_remedy(f"{reason}: {uri}", remedy)
        super().__init__(told)

    @property
    def about_it(self) -> str:
        """The text for whoever has the URI already."""
        return _with_remedy(self.reason, self.remedy)


def _with_remedy(text: str, remedy: str | None) -> str:
    return f"{text}; {remedy}" if remedy else text


class ObjectNotFoundError(StorageError, FileNotFoundError):
    """No such object, file or bucket."""


class ObjectExistsError(StorageError, FileExistsError):
    """Something is there already, and was not to be replaced."""


class ObjectChangedError(StorageError):
    """An object is not the one any more of which a part was read."""


class StoreUnavailableError(StorageError, ConnectionError):
    """The store is at fault, not what was asked for: away, overloaded, too slow, or closed to whoever asks.

    Never a reason to call a file bad. Attribute: tried (whether it has been tried again for as long as the patience
    lasts, so that nobody needs to).
    """

    def __init__(self, uri: str, reason: str, remedy: str | None = None) -> None:
        self.tried = False
        super().__init__(uri, reason, remedy)


class TransferError(StoreUnavailableError):
    """What came is not what the store keeps, or what it keeps is not what was sent."""


class ProcessEndedError(StoreUnavailableError):
    """A process that worked at an object for this one has ended too early: that says nothing about the object."""


class AccessDeniedError(StorageError, PermissionError):
    """The store knows who asks and says no, or does not know who asks."""


class CredentialsError(AccessDeniedError, StoreUnavailableError):
    """The store does not know who asks: there are no credentials, or they do not work."""


class NotAllowedError(AccessDeniedError, RefusedError):
    """A URI outside the access lists of a store (`pipeline.storage.access_policy`). The store has not been asked.

    The URI may be a visitor's: in the text it is on one line and not long, whatever is in it.
    """

    def __init__(self, uri: str, message: str) -> None:
        shown = uri if len(uri) <= 300 else f"{uri[:300]}…"
        super().__init__(shown if shown.isprintable() else repr(shown), message)
        self.uri = uri


class BadFileError(ChimeraError, ValueError):
    """One input file cannot be used: it is recorded as failed and the job goes on.

    The text is a reason a person understands; it does not repeat the file's name, which the record has. One that is
    `of_the_file` says what the file is or holds ("is empty"); others are about its data ("the bz2 data is corrupt").
    """

    def __init__(self, reason: str, *, of_the_file: bool = False) -> None:
        super().__init__(reason)
        self.of_the_file = of_the_file

    def within(self, whole: str) -> Self:
        """The same error, of a part: `whole` names it."""
        return type(self)(f"{whole}: {self}")

    @property
    def sentence(self) -> str:
        """The reason as a sentence of its own."""
        return f"This file {self}." if self.of_the_file else f"This file cannot be used: {self}."


class CutOffError(BadFileError):
    """Its data ends before it should, or looks so: more of it may be good."""


class HoldsFilesError(BadFileError):
    """It is an archive: the files in it are read one by one, each by a URI of its own."""

    def __init__(self, kind: str) -> None:
        text = f"is an archive ({kind}), and the files in it are read one by one, as FILE!/NAME"
        super().__init__(f"{text}; see which with: chimera ls FILE!/", of_the_file=True)


class BesideDataError(BadFileError):
    """It lies beside data in an archive and is none, by its name as well as by its bytes: a PDF, a picture."""


class JobError(ChimeraError, RuntimeError):
    """A job as a whole came to nothing."""


class TooManyFailuresError(JobError):
    """More failed files than the job allows, or every one of them."""


class ReconciliationError(JobError):
    """The ledger and the output do not agree, so the output is not published."""


class DataflowError(ChimeraError, RuntimeError):
    """Dataflow said no, or said nothing."""


class JobLogError(ChimeraError, RuntimeError):
    """The job log cannot do what was asked."""


class JobExistsError(JobLogError):
    """A job id is given once."""


class JobNotFoundError(JobLogError, LookupError):
    """No job has this id."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(f"no job {job_id!r} in this job log; `chimera jobs list` shows the ones there are")


class UnreadableRecordError(JobLogError):
    """A document in the job log is no record of a job. Attributes: job_id (as it stands in the log), problem."""

    def __init__(self, job_id: str, problem: str) -> None:
        self.job_id, self.problem = job_id, problem
        super().__init__(
            f"job {job_id!r}: its record cannot be read: {problem}; if a later chimera-nb wrote it, upgrade, "
            "and if another program did, take it out of the job log"
        )


class StackError(ChimeraError, RuntimeError):
    """The local stack cannot start, stop or be found."""


class NoStackError(StorageError, StackError):
    """A bucket is asked for where only a local stack may be asked, and none runs. Nothing has left this machine."""

    def __init__(self, uri: str, where: str = "") -> None:
        super().__init__(
            uri,
            f"no local stack runs{where}; start one with `chimera up --detach`, "
            "or set CHIMERA_PLACE=cloud to use Google Cloud",
        )


class UntrustedError(SettingsError, StackError):
    """A file that was found, and would steer what is done, can be written by others. Nothing of it was used."""
