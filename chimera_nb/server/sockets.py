"""What a front end may say to its kernel: words between widgets, and nothing that runs code. And what it hears."""

from __future__ import annotations

import json
from typing import Any

from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

# execute_request, complete_request, inspect_request, debug_request, shutdown_request and the rest are not here.
ALLOWED_MESSAGES = ("comm_open", "comm_close", "comm_msg", "comm_info_request", "kernel_info_request")
# Voilà's front end opens this one, to ask for the state of the widgets that there are. Any other would have the
# kernel build a widget of the visitor's choice.
_MAY_BE_OPENED = ("jupyter.widget.control",)
# What a kernel prints, and the tracebacks of what went wrong in it, is for the server's log.
_WITHHELD = ("stream", "error", "execute_input")
_TOLD = 2000  # characters
_UNSENT = 32 << 20  # bytes
_V1 = "v1.kernel.websocket.jupyter.org"


class WidgetsOnly(ZMQChannelsWebsocketConnection):
    """A kernel's connection that passes on what `refusal` has nothing against."""

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        try:
            message_type, content = _opened(incoming_msg, versioned=self.subprotocol == _V1)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            self.log.warning(
                "Kernel %s: a message that cannot be read. The connection is closed.", self.kernel_id
            )
            self.websocket_handler.close(1007, "cannot be read")
            return
        why = refusal(message_type, content)
        if why:
            self.log.warning("Kernel %s: refused %s", self.kernel_id, why)
            return
        super().handle_incoming_message(incoming_msg)

    def handle_outgoing_message(self, stream: str, outgoing_msg: list[Any]) -> None:
        _, parts = self.session.feed_identities(outgoing_msg)
        message_type = self.session.unpack(parts[1])["msg_type"]
        if message_type in _WITHHELD:
            content = self.session.unpack(parts[4])
            told = content.get("text") or "\n".join(content.get("traceback", ())) or message_type
            self.log.warning("Kernel %s says: %s", self.kernel_id, _one_line(told))
            return
        if self._unsent() > _UNSENT:
            self.log.warning("Kernel %s: its page asks for more than it takes; closed", self.kernel_id)
            self.websocket_handler.close(1008, "takes too little")
            return
        super().handle_outgoing_message(stream, outgoing_msg)

    def _unsent(self) -> int:
        """Bytes that the page has not taken yet. Whoever asks and does not listen must not fill the server's memory."""
        connection = getattr(self.websocket_handler, "ws_connection", None)
        stream = getattr(connection, "stream", None)
        return len(stream._write_buffer) if stream is not None else 0  # noqa: SLF001 - tornado has no name for it


def _one_line(text: str) -> str:
    """The end of what was printed, which may be anything, in a log that has a line for each thing."""
    return text.strip()[-_TOLD:].encode("unicode_escape").decode()


def refusal(message_type: Any, content: Any) -> str | None:
    """What there is against a message, in words for the log; None where it may pass."""
    if message_type not in ALLOWED_MESSAGES:
        return f"a message of type {str(message_type)[:80]!r}: only widgets' are passed on"
    if message_type == "comm_open":
        target = content.get("target_name") if isinstance(content, dict) else None
        if target not in _MAY_BE_OPENED:
            return f"to open a comm to {str(target)[:80]!r}"
    return None


def _opened(message: Any, *, versioned: bool) -> tuple[Any, Any]:
    """A message's type and content, in either of the protocols. Raises what reading nonsense raises."""
    if versioned:
        # The first eight bytes say how many offsets follow. Believed, a large number takes all memory there is.
        if int.from_bytes(message[:8], "little") > len(message) // 8:
            raise ValueError("more offsets than there are bytes for")
        _, parts = deserialize_msg_from_ws_v1(message)  # type: ignore[no-untyped-call]
        return json.loads(parts[0])["msg_type"], json.loads(parts[3])
    if not isinstance(message, str):
        raise TypeError("binary messages need the versioned protocol")
    whole = json.loads(message)
    return whole["header"]["msg_type"], whole["content"]
