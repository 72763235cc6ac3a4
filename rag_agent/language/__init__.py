"""Languages: which one a text is in, what is known of it, and a text's words and sentences in any."""

from rag_agent.language.detection import detect
from rag_agent.language.files import LANGUAGES, Language, Stating, Talk, language
from rag_agent.language.sentences import sentence_texts, sentences
from rag_agent.language.words import words

__all__ = ["LANGUAGES", "Language", "Stating", "Talk", "detect", "language", "sentence_texts", "sentences", "words"]
