"""What is asked of the dashboard, and the rule of when its visitors need a token."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from pipeline.errors import SettingsError
from pipeline.proxies import is_loopback

DEFAULT_PORT = 8866
_HEADER = re.compile(r"[A-Za-z0-9-]+")
_SHORTEST_TOKEN = 16


@dataclass(frozen=True)
class DashboardOptions:
    """Checked when made; raises SettingsError.

    host, port: where it listens; port None takes 8866 or the next free one, 0 any.
    base_url: the path it is found under, with a slash at both ends.
    token: what a visitor must show; None leaves it to `with_token`.
    user_header: the header in which a proxy that knows its users names them; who comes without it is refused.
    data_dir: of the local stack that its kernels use; None looks for one.
    environment: what its kernels are given beside the environment of the server.
    warm: kernels that wait, ready, for the next visitors.
    kernels: the most there may be at once.
    fork: whether kernels are forked from a process that has imported what they need, where the system can.
    """

    host: str = "localhost"
    port: int | None = None
    base_url: str = "/"
    token: str | None = None
    user_header: str | None = None
    data_dir: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    warm: int = 2
    kernels: int = 32
    fork: bool = True

    def __post_init__(self) -> None:
        if not re.fullmatch(r"/([\w.~@-]+/)*", self.base_url):
            raise SettingsError(f"base URL {self.base_url!r}: write a path as in /tools/chimera/")
        if self.user_header is not None and not _HEADER.fullmatch(self.user_header):
            raise SettingsError(
                f"user header {self.user_header!r} is no name of a header; X-Goog-Authenticated-User-Email is one"
            )
        if self.token is not None and len(self.token) < _SHORTEST_TOKEN:
            raise SettingsError(
                f"the token has {len(self.token)} characters; it must have {_SHORTEST_TOKEN} or more "
                "(left out, one is made)"
            )

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    @property
    def needs_token(self) -> bool:
        return bool(self.token) and self.user_header is None

    @property
    def guarded(self) -> bool:
        """Whether a token or a proxy is required. If not, only programs of this process's user are answered."""
        return self.needs_token or self.user_header is not None

    def with_token(self) -> DashboardOptions:
        """These options, with a new token where a network reaches them and no proxy knows the users."""
        if self.token or self.user_header or self.loopback:
            return self
        return replace(self, token=secrets.token_urlsafe(24))

    def url(self, port: int) -> str:
        """The address to open in a browser, with its token."""
        host = "localhost" if self.host in ("", "0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
        host = f"[{host}]" if ":" in host else host
        token = f"?token={quote(self.token or '', safe='')}" if self.needs_token else ""
        return f"http://{host}:{port}{self.base_url}{token}"
