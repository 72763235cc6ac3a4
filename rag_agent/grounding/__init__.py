"""Grounding: sentences, the support check, and document text made harmless."""
