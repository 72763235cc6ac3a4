"""Every failure a user can meet, as one tree; each message names the next step.

* RagAgentError
  x SettingsError        a setting, option or argument that cannot be used
  x DocumentsError       a folder or file of documents that is missing or holds nothing to read
  x ModelError           a chat or embedding model that failed at its work
    + ModelNotFoundError a provider or model that is unknown or not on this machine
    + BackendError       a model server that cannot be reached or broke off
    + ContextLengthError a prompt longer than the model's context window
  x TurnStoppedError     a turn that its caller called off
  x IndexFileError       an index file that is damaged, or made with other settings
  x EvaluationError      a file of questions or of an earlier run that cannot be used, or a measure under its limit
  x ThreadError          a conversation that cannot be used, or a thread file that cannot be read
    + ThreadNotFoundError a conversation that does not exist
  x MemoryNotFoundError  a remembered statement that does not exist
"""


class RagAgentError(Exception):
    """The root of the tree: catch it to catch every expected failure of this package."""


class SettingsError(RagAgentError):
    """A setting, an option or an argument has a value that cannot be used."""


class DocumentsError(RagAgentError):
    """The documents are missing, empty, or hold no file that can be read."""


class ModelError(RagAgentError):
    """A chat or embedding model failed at its work."""


class ModelNotFoundError(ModelError):
    """The provider or the model is unknown, or the model is not on this machine."""


class BackendError(ModelError):
    """The server behind a model cannot be reached, or broke off while it answered."""


class ContextLengthError(ModelError):
    """The prompt and the reply asked for do not fit the model's context window."""


class TurnStoppedError(RagAgentError):
    """The caller called a turn off before its answer was there."""


class IndexFileError(RagAgentError):
    """An index file is damaged, or was made with other settings than the ones asked for."""


class EvaluationError(RagAgentError):
    """A file of questions, or of an earlier run, cannot be used; or a measure does not reach what was asked of it."""


class ThreadError(RagAgentError):
    """A conversation does not exist, or the file that holds the conversations cannot be read."""


class ThreadNotFoundError(ThreadError):
    """There is no conversation of this ID."""


class MemoryNotFoundError(RagAgentError):
    """There is no remembered statement of this ID."""
