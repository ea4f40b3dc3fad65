"""Names that no object can have never reach the store."""

from __future__ import annotations

import pytest

from pipeline.errors import ObjectNotFoundError
from pipeline.storage import PlainStore, gcs_read

STORE = PlainStore()


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_that_is_a_way_up_in_a_url_deletes_no_bucket(name, monkeypatch):
    monkeypatch.setattr(gcs_read, "client", lambda _: pytest.fail("the store was asked"))
    STORE.delete([f"gs://bucket/{name}"])
    with pytest.raises(ObjectNotFoundError, match="no object can have this name"):
        STORE.stat(f"gs://bucket/{name}")
