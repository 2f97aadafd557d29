"""A controller's message that comes in parts, until it is whole or known to be too long."""

from typing import Final

from jimm.proxy import tap

FRAGMENT: Final = 64
"""Bytes that a part costs beside its own."""


class Held:
    """What is kept of one message, and how much that is in bytes.

    Each part is looked through as it comes, so that a clean message is never put together.
    """

    __slots__ = ("_clean", "_parts", "_tail", "size", "streams")

    def __init__(self) -> None:
        self.size = 0
        self.streams = False
        self._parts: list[tuple[bytes, int]] = []
        self._clean = True
        self._tail = b""

    def add(self, part: bytes, skipped: int) -> None:
        """Keeps a part; its first ``skipped`` bytes are a frame's header."""
        if not self._parts:
            self._clean = tap.succeeds(part, skipped)
        if self._requires(part, skipped):
            self._clean = False
        self._parts.append((part, skipped))
        self.size += len(part) + FRAGMENT

    @property
    def clean(self) -> bool:
        """Whether there is surely nothing in it that only JIMM may see."""
        return self._clean

    def head(self) -> bytes:
        """How its payload begins."""
        part, skipped = self._parts[0]
        return part[skipped:] if len(self._parts) == 1 else self.payload()

    def payload(self) -> bytes:
        """The payload as far as it is there."""
        if len(self._parts) == 1:
            part, skipped = self._parts[0]
            return part[skipped:]
        return b"".join(part[skipped:] for part, skipped in self._parts)

    def let_go(self) -> list[bytes]:
        """Gives the frames as they came, and keeps them no more."""
        frames = [part for part, _ in self._parts]
        self._parts.clear()
        self.size = 0
        self._tail = b""
        return frames

    def stream(self) -> list[bytes]:
        """The same, and all that follows of this message is only looked at as it passes."""
        self.streams = True
        tail = self._tail
        frames = self.let_go()
        self._tail = tail
        return frames

    def passes(self, part: bytes, skipped: int, *, ends: bool) -> bool:
        """Whether a part that streams by may pass, for there is no code in it."""
        before = self._tail
        if self._requires(part, skipped) and tap.mentions(before + part[skipped:]):
            return False
        if ends:
            self.streams = False
            self._tail = b""
        return True

    def _requires(self, part: bytes, skipped: int) -> bool:
        edge = self._tail + part[skipped : skipped + tap.OVERLAP]
        size = len(part) - skipped
        self._tail = part[-tap.OVERLAP :] if size >= tap.OVERLAP else edge[-tap.OVERLAP :]
        return tap.requires(edge) or tap.requires(part, skipped)
