"""Token ids to text, piece by piece: no half characters, no half stop strings."""

from typing import Any


class TokenText:
    """Turns ids into text as they come, holding back bytes that are not yet a whole character.

    A window of the last few tokens is decoded twice, with and without the new one, and the difference is the new text:
    tokenizers give a token other white space at the start of a text than within it.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._window = 0  # where the window starts
        self._given = 0  # up to where its text was handed out

    def push(self, token: int) -> str:
        """The text that this token completes; empty while a character is incomplete."""
        self._ids.append(token)
        before = self._decode(self._ids[self._window : self._given])
        now = self._decode(self._ids[self._window :])
        if len(now) <= len(before) or now.endswith("\ufffd"):
            return ""
        self._window, self._given = self._given, len(self._ids)
        return now[len(before) :]

    def flush(self) -> str:
        """What was held back, at the end of the reply."""
        before = self._decode(self._ids[self._window : self._given])
        return self._decode(self._ids[self._window :])[len(before) :].rstrip("\ufffd")

    def _decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))


class StopStrings:
    """Cuts a text that comes in pieces before the first stop string, even one that spans pieces."""

    def __init__(self, stops: list[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.found = False

    def push(self, piece: str) -> str:
        """The text that can be shown: none of it belongs to a stop string, whatever follows."""
        if not self._stops:
            return piece
        self._held += piece
        at = min((self._held.find(stop) for stop in self._stops if stop in self._held), default=-1)
        if at >= 0:
            self.found, shown, self._held = True, self._held[:at], ""
            return shown
        keep = max(self._beginning(stop) for stop in self._stops)
        shown, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return shown

    def _beginning(self, stop: str) -> int:
        """How many characters at the end of the held text begin this stop string."""
        return next((n for n in range(min(len(stop) - 1, len(self._held)), 0, -1) if self._held.endswith(stop[:n])), 0)

    def flush(self) -> str:
        """What was held back, at the end of the reply."""
        shown, self._held = self._held, ""
        return shown
