"""The MCP SDK's own client, over both transports."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.serving import serving

TOOLS = {"ask", "search", "read_document", "list_documents", "list_threads"}


async def walk(target: Any) -> dict[str, Any]:
    async with Client(target) as client:
        tools = await client.list_tools()
        found: dict[str, Any] = {"tools": {tool.name for tool in tools.tools}}
        found["ask"] = (
            await client.call_tool("ask", {"question": "Who stayed in orbit?", "thread_id": "moon"})
        ).structured_content
        found["search"] = (await client.call_tool("search", {"query": "orbit", "k": 1})).structured_content
        found["threads"] = (await client.call_tool("list_threads", {})).structured_content
        found["document"] = (await client.call_tool("read_document", {"file": "moon.txt"})).structured_content
        found["resource"] = (await client.read_resource("document:///moon.txt")).contents[0]
        found["wrong"] = await client.call_tool("read_document", {"file": "../secret"})
    return found


def holds(found: dict[str, Any], docs: Path) -> None:
    assert found["tools"] == TOOLS
    citations = found["ask"]["citations"]
    text = (docs / "moon.txt").read_text(encoding="utf-8")
    assert any(text[one["start"] : one["end"]] == one["quote"] for one in citations if one["file"] == "moon.txt")
    assert found["search"]["result"][0]["file"] == "moon.txt"
    assert [thread["thread_id"] for thread in found["threads"]["result"]] == ["moon"]
    assert found["document"]["text"] == text
    assert found["resource"].text == text
    assert found["wrong"].is_error


async def test_over_http(docs: Path, words: tuple[str, ...]) -> None:
    with serving(docs, words) as server:
        holds(await walk(f"{server.base_url}/mcp"), docs)


@pytest.mark.model
async def test_over_standard_input_and_output(docs: Path, embedded: Callable[..., Any], command: list[str]) -> None:
    import os

    words = [*command[1:], "mcp", "--docs", str(docs)]
    server = StdioServerParameters(command=sys.executable, args=words, env=dict(os.environ))
    holds(await walk(stdio_client(server)), docs)
