"""The thoughts that some models write before they answer: `<think>...</think>`."""

_OPEN, _CLOSE = "<think>", "</think>"


class Thoughts:
    """Takes the thoughts out of a reply that comes in pieces. Only a reply's beginning is one: later, the words are its own."""

    def __init__(self, *, begun: bool = False) -> None:
        """Say how the reply starts.

        Args:
            begun: The prompt itself ended with the opening mark, so the reply starts within the thoughts.
        """
        self.inside = begun
        """Whether the thoughts have not ended yet."""
        self._over = False
        self._held = ""

    def push(self, piece: str) -> str:
        """What of the reply can be shown."""
        if self._over:
            return piece
        self._held += piece
        if not self.inside:
            start = self._held.lstrip()
            if _OPEN.startswith(start[: len(_OPEN)]) and len(start) < len(_OPEN):
                return ""  # too little to tell
            self.inside = start.startswith(_OPEN)
        if not self.inside:
            return self._rest(self._held)
        _, closed, after = self._held.partition(_CLOSE)
        return self._rest(after.lstrip()) if closed and after.strip() else ""

    def flush(self) -> str:
        """What was held back, at the end of the reply; nothing where it was thoughts."""
        if self.inside:
            self.inside = _CLOSE not in self._held
            return ""
        return "" if self._over else self._rest(self._held)

    def _rest(self, text: str) -> str:
        self.inside, self._over, self._held = False, True, ""
        return text
