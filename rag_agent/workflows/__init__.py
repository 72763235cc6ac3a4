"""The three graphs, as builders: compile them with a saver of your choice, or bare."""

from rag_agent.workflows.agent import agent_graph
from rag_agent.workflows.chat import chat_graph
from rag_agent.workflows.rag import rag_graph

__all__ = ["agent_graph", "chat_graph", "rag_graph"]
