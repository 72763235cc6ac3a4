"""Grounding: what may be quoted, what stands on it, and document text made harmless."""

from rag_agent.grounding.standing import Standing, standing

__all__ = ["Standing", "standing"]
