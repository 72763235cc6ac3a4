"""Thin surfaces over `RagAgent`: HTTP with events and a page, OpenAI's protocol, MCP. No logic of answering lives here."""
