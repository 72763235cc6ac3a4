"""The chat graph for LangGraph tooling. A server brings its own saver, so it is compiled bare."""

from rag_agent.models import chat_model
from rag_agent.settings import Settings
from rag_agent.tracing import private
from rag_agent.workflows import chat_graph

settings = Settings.load()
graph = private(
    chat_graph(chat_model(settings.model, settings=settings, **settings.generation), settings.system).compile(), settings
)
