"""Subtitles: WebVTT and SubRip."""

import re

from rag_agent.documents.builder import Builder
from rag_agent.documents.reading import Reading, damage, decode

_TIME = re.compile(r"((?:\d+:)?\d{1,2}:\d{2})[.,]\d{1,3}\s*-->\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]*)>")
_TAG = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")
_MOST = 600  # characters of a paragraph, ended at the end of a sentence
_ENDS = re.compile(r"[.!?…。！？][\"'”’)]*$")


def read(data: bytes) -> Reading:
    """What is said, sentences put together over the cues; a paragraph a speaker, with the time at which it begins before it."""
    text, encoding = decode(data)
    builder = Builder()
    began, speaker, said = "", "", ""
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")):
        time = _TIME.search(block)
        if not time:
            continue
        cue = block[time.end() :].partition("\n")[2]
        voice = _VOICE.search(cue)
        words = " ".join(_TAG.sub("", cue).split())
        if said and ((voice[1] if voice else speaker) != speaker or (len(said) > _MOST and _ENDS.search(said))):
            _add(builder, began, speaker, said)
            said = ""
        speaker = voice[1].strip() if voice else speaker
        began = began if said else time[1]
        # Live captions repeat the line before.
        said = said if said.endswith(words) else f"{said} {words}".strip()
    _add(builder, began, speaker, said)
    return builder.reading("subtitles", told=damage(text, encoding))


def _add(builder: Builder, began: str, speaker: str, said: str) -> None:
    if said:
        builder.add("furniture", began)
        builder.add("paragraph", f"{speaker}: {said}" if speaker else said, tight=True)
