"""What lives for one turn: kept while the turn runs, so that it can be interrupted and replayed, and no longer."""

import base64
import zlib
from collections.abc import Sequence
from typing import Any, Self

from langgraph._internal._typing import MISSING
from langgraph.channels import LastValue


class TurnValue(LastValue[Any]):
    """The last value received; in every checkpoint of a turn but the last one, so that a thread grows by what was said alone.

    Receiving None forgets the value.
    """

    __slots__ = ("ended",)

    def __init__(self, typ: Any, key: str = "") -> None:
        """Begin empty."""
        super().__init__(typ, key)
        self.ended = False

    def __eq__(self, value: object) -> bool:
        return isinstance(value, TurnValue)

    __hash__ = None  # type: ignore[assignment]

    def copy(self) -> Self:
        """Another of the same content."""
        copied = super().copy()
        copied.ended = self.ended
        return copied

    def update(self, values: Sequence[Any]) -> bool:
        """Receive at most one value."""
        changed = super().update(values)
        if changed:
            self.ended = False
            if self.value is None:
                self.value = MISSING
        return changed

    def finish(self) -> bool:
        """The turn has ended: what is here can still be read, and is kept no longer."""
        if self.ended or self.value is MISSING:
            return False
        self.ended = True
        return True

    def checkpoint(self) -> Any:
        """What is kept."""
        return MISSING if self.ended else self.value


def sealed(text: str) -> str:
    """An unchecked text as the state holds it: a stream of states, updates or tasks shows it to nobody."""
    return base64.b85encode(zlib.compress(text.encode())).decode()


def opened(text: str) -> str:
    """The text that was sealed."""
    return zlib.decompress(base64.b85decode(text)).decode()
