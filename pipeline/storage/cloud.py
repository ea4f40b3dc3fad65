"""Cloud: which service gs:// is, as a value that is handed on with a store."""

from __future__ import annotations

import os
from dataclasses import dataclass

VARIABLE = "STORAGE_EMULATOR_HOST"


@dataclass(frozen=True)
class Cloud:
    """The service that gs:// URIs are asked of.

    emulator   the URL of an emulator or a local stack, which is asked without credentials; left out, what
               STORAGE_EMULATOR_HOST says when it is asked, and else Google Cloud Storage, with the credentials that
               Google's libraries find
    google     whether it may be Google Cloud Storage
    """

    emulator: str | None = None
    google: bool = True

    @property
    def endpoint(self) -> str | None:
        """The emulator's URL; None for Google Cloud Storage, or where there is no service at all."""
        return self.emulator or os.environ.get(VARIABLE) or None

    @property
    def is_there(self) -> bool:
        """Whether there is a service that may be asked."""
        return self.google or self.endpoint is not None
