"""In which language the program speaks: that of the question, or the one that is set."""

from typing import Any

from rag_agent import prompts
from rag_agent.language.detection import detect
from rag_agent.sayings import SAYINGS

__all__ = ["Voice"]


class Voice:
    """Says the program's own sentences."""

    def __init__(self, language: str = "auto") -> None:
        """Speak this language, "en", "nl" or "de"; "auto" is that of the question, and English where that is none of them."""
        self._language = language

    def say(self, name: str, question: str, /, **values: Any) -> str:
        """The sentence of a name of `prompts`, with its fields filled in; `question` tells the language."""
        language = detect(question) if self._language == "auto" else self._language
        form: str = SAYINGS.get(language or "", {}).get(name) or getattr(prompts, name)
        return form.format(**values) if values else form
