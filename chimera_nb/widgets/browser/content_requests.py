"""What BucketBrowser is asked for when files are chosen by content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from chimera_nb.widgets.base.widget import ChimeraWidget, held
from chimera_nb.widgets.browser import messages, states
from chimera_nb.widgets.browser.content import ContentChoice
from chimera_nb.widgets.browser.navigation import BUCKETS
from pipeline.errors import RefusedError

if TYPE_CHECKING:
    from chimera_nb.widgets.browser.model import Browser


class ContentRequests(ChimeraWidget):
    """A browser whose files can be chosen by content: `_model` and `selected` are its own."""

    _content = traitlets.Dict().tag(sync=True)
    _model: Browser
    selected: Any

    def __init__(self, session: Any = None, **traits: Any) -> None:
        super().__init__(session, **traits)
        self._by_content = ContentChoice(self._background, self._session, self._show_content)

    def close(self) -> None:
        if "_by_content" in self.__dict__:
            self._by_content.stop()
        super().close()

    def _asked_choose_content(self, request: messages.ChooseContent) -> None:
        self.error = ""
        if self._model.folder == BUCKETS:
            raise RefusedError("open a bucket first; files are chosen in a folder")
        self._by_content.open(self._model.folder, request.source)

    def _asked_stop_content(self, _: messages.StopContent) -> None:
        self._by_content.stop()

    def _asked_leave_content(self, _: messages.LeaveContent) -> None:
        self._by_content.leave()

    def _asked_choose_value(self, request: messages.ChooseValue) -> None:
        self.error = ""
        self._by_content.choose(request.facet, request.value, on=request.on)

    def _asked_choose_days(self, request: messages.ChooseDays) -> None:
        self.error = ""
        self._by_content.choose_days(request.since, request.until)

    def _asked_choose_ids(self, request: messages.ChooseIds) -> None:
        self.error = ""
        self._by_content.choose_ids(request.name, request.text)

    def _asked_select_content(self, _: messages.SelectContent) -> None:
        self.error = ""
        files = self._by_content.files()
        if not files:
            raise RefusedError("no file is chosen; take some of the conditions out")
        self._model.know(files)
        self.selected = tuple(files)

    def _show_content(self, content: states.Content | None) -> None:
        self._content = held(content)
