"""Where a process of ours writes what happens."""

import logging


def to_stderr(level: str, *, who: str = "") -> None:
    """Lines of this level and above; ``who`` stands before the text of each."""
    before = f"{who}: " if who else ""
    logging.basicConfig(
        level=level.upper(), format=f"%(asctime)s %(levelname)s %(name)s: {before}%(message)s"
    )
    for chatty in ("httpx", "uvicorn.error", "websockets"):  # a line or two for each connection
        logging.getLogger(chatty).setLevel(logging.WARNING)
