"""Server-sent events (WHATWG HTML, section 9.2)."""

from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi.responses import StreamingResponse

from jimm.rest import schemas

RETRY: Final = "retry: 1000\n\n"
"""Asks clients to come back a second after a connection was lost."""


def described(events: str) -> dict[int | str, dict[str, Any]]:
    """The response in the OpenAPI document; ``events`` says which there are."""
    schema = {"text/event-stream": {"schema": {"type": "string"}}}
    return {200: {"content": schema, "description": events}}


def stream(lines: AsyncIterator[str]) -> StreamingResponse:
    """An answer that goes on, and that nothing on its way keeps back."""
    return StreamingResponse(
        lines,
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def event(kind: str, body: schemas.Body, number: int | None = None) -> str:
    """An event; the ``number`` is its id, which a client names when it comes back."""
    data = body.model_dump_json(by_alias=True, exclude_none=True)
    named = "" if number is None else f"id: {number}\n"
    return f"event: {kind}\n{named}data: {data}\n\n"
