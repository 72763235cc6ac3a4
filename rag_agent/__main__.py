"""`python -m rag_agent` is `rag-agent`."""

from rag_agent.cli import main

main()
