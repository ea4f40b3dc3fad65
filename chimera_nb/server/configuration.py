"""The one configuration of the dashboard's server, and why it is safe. Whatever is not here cannot be reached.

- No sources and no tracebacks in the page; neither template nor theme by URL or by notebook.
- Files: what `handlers.routes` names, which is scripts, styles and the theme. No notebooks, contents, terminals.
- Kernels: nobody can start or list them; a visitor reaches the one of their own page; only widgets' messages pass.
- Other sites: no frames, no cross-origin calls, no host name but localhost where neither token nor proxy is required.
- Scripts run from this server's files only, so markup that comes in with a name or a log line runs nothing.
"""

from __future__ import annotations

import secrets
from typing import Any

from traitlets.config import Config

from chimera_nb.server.options import DashboardOptions
from chimera_nb.server.resources import TEMPLATE
from chimera_nb.server.sockets import ALLOWED_MESSAGES

_CULL_EVERY_SECONDS = 30

_POLICY = {
    "default-src": "'self'",
    "script-src": "'self' blob:",  # anywidget loads a widget's module from a blob
    "style-src": "'self' 'unsafe-inline' blob:",  # Lumino and widgets place their elements by inline style
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
CONTENT_SECURITY_POLICY = "; ".join(f"{what} {sources}" for what, sources in _POLICY.items())
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def configuration(options: DashboardOptions) -> Config:
    """For Voilà's renderer, the kernels and the identity of visitors."""
    return Config(
        {
            "VoilaConfiguration": {
                "template": TEMPLATE,
                "theme": "light",  # the template's own: light or dark by the system's wish
                "allow_template_override": "NO",
                "allow_theme_override": "NO",
                "strip_sources": True,
                "show_tracebacks": False,
                "file_allowlist": [],
                "file_denylist": [".*"],
                "http_header_envs": [],
                "progressive_rendering": False,
                "resources": {},
            },
            "VisitorIdentity": {
                "token": options.token or "" if options.needs_token else "",
                "user_header": options.user_header or "",
                "cookie_options": {"samesite": "Lax"},
            },
            "DashboardKernels": {
                "allowed_message_types": list(ALLOWED_MESSAGES),
                "cull_idle_timeout": 1,  # turns the culler on; DashboardKernels says which
                "cull_interval": _CULL_EVERY_SECONDS,
                "buffer_offline_messages": True,
            },
            # A kernel that died has lost its widgets: its page starts afresh with another.
            "KernelRestarter": {"restart_limit": 0},
        }
    )


def tornado_settings(options: DashboardOptions) -> dict[str, Any]:
    """For the web application, beside the objects that the server puts in."""
    return {
        "base_url": options.base_url,
        "login_url": f"{options.base_url}login",
        "cookie_secret": secrets.token_bytes(32),
        "xsrf_cookie_kwargs": {"samesite": "Strict"},
        "headers": HEADERS,
        # Where only the machine guards the door, a page elsewhere could reach it by a name of its own that leads
        # to 127.0.0.1: so by no name but localhost.
        "allow_remote_access": options.guarded or not options.loopback,
        "local_hostnames": ["localhost"],
        "compress_response": not options.loopback,
        # Milliseconds. A page is taken for gone when three pings brought no answer. As long as one, it is so at the
        # first answer that takes a moment: every page's connection would be closed every half minute.
        "ws_ping_interval": 30_000,
        "ws_ping_timeout": 3 * 30_000,
        "websocket_max_message_size": 4 * 1024 * 1024,
        "debug": False,
        "autoreload": False,
        "serve_traceback": False,
    }
