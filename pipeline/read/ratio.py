"""What a file may hold for each of its bytes: one that takes out of all proportion is taken for a bomb."""

from __future__ import annotations

from pipeline.errors import BadFileError
from pipeline.job_options import RATIO_FROM
from pipeline.storage import ReadStream


def is_bomb(raw: int, stored: int, limit: int) -> bool:
    """Whether so many raw bytes are out of all proportion to the stored ones; never with the limit 0."""
    return bool(limit) and raw > RATIO_FROM and raw > limit * stored


def check_ratio(raw: int, stream: ReadStream, limit: int) -> None:
    """Refuse a file that takes out of all proportion; by its whole size, so that one dense part does not matter."""
    if raw <= RATIO_FROM or not is_bomb(raw, stored := stream.stored_bytes(), limit):
        return
    raise BadFileError(
        f"holds more than {limit:,} unpacked bytes for each of its {stored:,} bytes, as a bomb does; if it is "
        f"meant to, allow more with max-ratio (0: no bound)",
        of_the_file=True,
    )
