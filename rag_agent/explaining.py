"""What a turn knows before anything is answered, for reading: `RagAgent.explain`."""

from dataclasses import dataclass
from typing import Any

from rag_agent.grounding.choice import chances, choose, probability
from rag_agent.grounding.evidence import Candidate, Evidence
from rag_agent.grounding.passages import Passage

_MEASURES = ("similarity", "rank", "own", "rest", "rest_around", "named", "gives", "first", "passage")
_SHOWN = 12  # units in the text of an explanation


@dataclass(frozen=True)
class Explanation:
    """What was searched and found for a question, and why units rank as they do."""

    question: str
    """The question as it was searched for, slips of the keyboard mended."""
    told: tuple[str, ...]
    """What was read otherwise than it was typed, and what was left out."""
    evidence: Evidence
    """What was found and measured; see `rag_agent.grounding.evidence`."""
    passages: tuple[Passage, ...]
    """Exactly what a reader would be given."""

    @property
    def probability(self) -> float:
        """The probability of an answer in what was found; 0 where no document holds a name or number of the question."""
        return probability(self.evidence)

    def ranked(self) -> list[tuple[Candidate, float]]:
        """Each unit with its chance of answering, given that one of them does; the likeliest first."""
        pairs = zip(self.evidence.candidates, chances(self.evidence).tolist(), strict=True)
        return sorted(pairs, key=lambda pair: -pair[1])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for `json.dumps`."""
        chosen = choose(self.evidence)
        return {
            "question": self.question,
            "told": list(self.told),
            "probability": self.probability,
            "missing": list(self.evidence.missing), "unknown": list(self.evidence.unknown),
            "terms": self.evidence.terms,
            "hits": [hit.to_dict() for hit in self.evidence.hits],
            "units": [
                {
                    "text": one.unit.text, "kind": one.unit.kind, "under": list(one.unit.context), "chance": chance,
                    "chosen": one in chosen, "withheld": one.withheld, "citation": one.citation.to_dict(),
                    **{name: getattr(one, name) for name in _MEASURES},
                }
                for one, chance in self.ranked()
            ],
            "passages": [vars(passage) for passage in self.passages],
        }  # fmt: skip

    def __str__(self) -> str:
        """A page to read."""
        chosen = choose(self.evidence)
        lines = [f"Searched for: {self.question}", *self.told]
        lines.append(f"Probability of an answer: {self.probability:.2f}")
        lines += [f"Nowhere in what was found: {word}" for word in self.evidence.missing]
        lines.append(f"\nChunks found ({len(self.evidence.hits)}):")
        lines += [f"  {hit.score:.2f}  {hit.file}, {hit.start}-{hit.end}" for hit in self.evidence.hits]
        ranked = self.ranked()
        lines.append(f"\nUnits, the likeliest first ({min(_SHOWN, len(ranked))} of {len(ranked)}; * is shown in answer):")
        for one, chance in ranked[:_SHOWN]:
            mark = "*" if one in chosen else "-" if one.withheld else " "
            lines.append(f"{mark} {chance:.3f} {one.unit.kind}, {one.file}, {one.base + one.unit.start}: {_line(one.unit.text)}")
            if one.unit.context:
                lines.append(f"          under: {_line(one.unit.under)}")
            lines.append("          " + ", ".join(f"{name} {float(getattr(one, name)):.2f}" for name in _MEASURES))
            if one.withheld:
                lines.append(f"          withheld: {one.withheld}")
        lines.append(f"\nA reader would be given ({len(self.passages)}):")
        lines += [f"[{passage.number}] {passage.context}\n{passage.text}\n" for passage in self.passages]
        return "\n".join(lines)


def _line(text: str, most: int = 160) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[:most] + " …"
