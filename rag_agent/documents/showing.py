"""Text for showing."""
import re

from rag_agent.documents.blocks import Block
from rag_agent.documents.reading import Reading

_HYPHENATED = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010][ \t]*\r?\n[ \t]*(?=[a-z\u00df-\u00f6\u00f8-\u00ff])")


def shown(reading: Reading, block: Block, start: int, end: int) -> str:
    """Clean."""
    return " ".join(_HYPHENATED.sub("", reading.text[start:end]).split())
