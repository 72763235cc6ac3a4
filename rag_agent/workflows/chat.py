"""`chat_graph`: a model and the conversation so far."""

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import SystemMessage
from langgraph.graph import END, START, MessagesState, StateGraph


def chat_graph(model: BaseChatModel, system: str | None = None) -> "StateGraph[MessagesState, Any, Any, Any]":
    """`START -> llm`: one node that calls the model on all messages.

    Compiled with a saver it keeps a conversation per `thread_id`:
    `chat_graph(m).compile(checkpointer=InMemorySaver()).invoke({"messages": [...]}, {"configurable": {"thread_id": "1"}})`.

    Args:
        model: Any LangChain chat model.
        system: The assistant's role, put before the messages and not kept among them.
    """

    def llm(state: MessagesState) -> dict[str, Any]:
        role = [SystemMessage(system)] if system else []
        return {"messages": [model.invoke([*role, *state["messages"]])]}

    builder = StateGraph(MessagesState)
    builder.add_node("llm", llm)
    builder.add_edge(START, "llm")
    builder.add_edge("llm", END)
    return builder
