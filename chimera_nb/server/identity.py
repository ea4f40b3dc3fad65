"""Who a visitor is, and whose kernel is whose."""

from __future__ import annotations

import hmac
import ipaddress
from typing import Any

from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.identity import IdentityProvider, User
from tornado import web
from traitlets import Unicode

from chimera_nb.jobs.requester import user_from_header


class VisitorIdentity(IdentityProvider):
    """By the header of a trusted proxy if one is named, else by a token, else a cookie for each browser."""

    user_header = Unicode(help="The header that names the user; empty for none.").tag(config=True)

    @property
    def auth_enabled(self) -> bool:
        return bool(self.token or self.user_header)

    async def _get_user(self, handler: web.RequestHandler) -> User | None:
        if not self.user_header:
            return await super()._get_user(handler)
        name = user_from_header(handler.request.headers.get_list(self.user_header))
        if name is None:
            # No page to log in at: the proxy should not have let this through.
            raise web.HTTPError(403, f"the header {self.user_header} names nobody")
        return User(name)

    async def get_user_token(self, handler: web.RequestHandler) -> User | None:
        token = self.get_token(handler)
        return await super().get_user_token(handler) if self._is_token(token) else None

    def process_login_form(self, handler: web.RequestHandler) -> User | None:
        good = self._is_token(handler.get_body_argument("password", ""))
        return self.generate_anonymous_user(handler) if good else None

    def _is_token(self, token: str | None) -> bool:
        """Whether it is the token, in a time that says nothing of how much of it is right."""
        return bool(token and self.token) and hmac.compare_digest(str(token).encode(), self.token.encode())


class OwnKernel(Authorizer):
    """A kernel is for the visitor whose page it was started for, and for nobody else who learns its id."""

    def is_authorized(
        self,
        handler: web.RequestHandler,
        user: User,
        action: str,  # noqa: ARG002 - all that can be done to a kernel is its owner's
        resource: str,  # noqa: ARG002
    ) -> bool:
        kernel_id = handler.path_kwargs.get("kernel_id", "")
        owner: Any = handler.settings["kernel_manager"].owners.get(kernel_id)
        return owner is not None and owner == user.username


def network_of(address: str | None) -> str:
    """What one visitor can call their own of the internet: an IPv4 address, or a /64 of IPv6."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or ""
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return str(ipaddress.ip_network((found, 64), strict=False))
        found = found.ipv4_mapped
    return str(found)
