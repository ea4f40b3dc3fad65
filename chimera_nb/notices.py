"""Who is told when a job ends, as the settings name them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline.errors import SettingsError
from pipeline.proxies import LOOPBACK


@dataclass(frozen=True)
class Notices:
    """A web hook's address, a mail server's and whom it writes to, and the page's own."""

    webhook: str | None = None
    mail: str | None = None
    mail_to: tuple[str, ...] = ()
    mail_from: str | None = None
    page: str | None = None

    @property
    def has_any(self) -> bool:
        return bool(self.webhook or self.mail)

    def check(self, place: str) -> None:
        """Raises SettingsError for what is no address, and for another host's where the place is local."""
        _check_address("notify_webhook", self.webhook, ("http", "https"), place)
        _check_address("notify_mail", self.mail, ("smtp", "smtps"), place)
        if bool(self.mail) != bool(self.mail_to):
            raise SettingsError("notify_mail and notify_to go together: a mail server, and who is written to")


def _check_address(name: str, address: str | None, schemes: tuple[str, str], place: str) -> None:
    if not address:
        return
    try:
        parts = urlsplit(address)
        fits = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fits = False
    if not fits:
        raise SettingsError(f"{name} is no address of {' or '.join(schemes)}; write {schemes[-1]}://HOST/")
    if place == "local" and parts.hostname not in LOOPBACK:
        raise SettingsError(
            f'{name} is another host, but with place "local" nothing leaves this machine; set '
            "CHIMERA_PLACE=cloud, or leave it out"
        )
