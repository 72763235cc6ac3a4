"""One frozen `Settings`: explicit argument > `RAG_AGENT_*` variable > `rag_agent.toml`, as far as it is trusted > default."""

import difflib
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import (
    SettingsError as SourceError,
)

from rag_agent import trust
from rag_agent.errors import DocumentsError, SettingsError
from rag_agent.postgres import is_url
from rag_agent.telling import tell_once

MEMORY = ":memory:"
"""The home that writes nothing."""

ENV_PREFIX = "RAG_AGENT_"
TOML_FILE = "rag_agent.toml"
TOKEN = f"{ENV_PREFIX}TOKEN"
"""The variable that holds what callers of `rag-agent serve` must send. No setting: a file or `--json` never shows it."""

CONFIG = f"{ENV_PREFIX}CONFIG"
"""The variable that names a file of settings, in the place of the working folder's."""

HARMLESS = {"k", "chunk_size", "chunk_overlap", "separator", "answer", "rewrite", "refusal_threshold", "language", "search"}
"""What a file that merely lies in the working folder may set: none of it names something to read, run, write or send to."""


class Settings(BaseSettings):
    """What can be set, with its default. Make one with `Settings.load`, whose errors are one line.

    Every field can be given as an argument, as the variable `RAG_AGENT_<FIELD>`, or as a key of the file that
    `RAG_AGENT_CONFIG` names, else of `rag_agent.toml` in the working folder. The latter may be a stranger's: until
    `rag-agent trust` has been typed for it as it is, only what is in `HARMLESS` counts, and one line says what does not.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    home: Literal[":memory:"] | Path = Field(default_factory=lambda: Path.home() / ".rag-agent", union_mode="left_to_right")
    """The folder that keeps indexes, threads and models; ":memory:" writes nothing."""

    database: str | None = Field(default=None, repr=False)  # it may hold a password
    """A PostgreSQL database that keeps indexes and conversations in place of the home, as `postgresql://user@host/name`; a home
    that is named so means the same. Models, and what is derived of indexes, stay in the home."""

    docs: Path | None = None
    """The folder or file to ask when none is named."""

    model: str = "embedded"
    """The chat model, as `provider:model`."""

    embeddings: str = "embedded"
    """The embedding model, as `provider:model`."""

    system: str | None = None
    """The assistant's role, put before every conversation."""

    k: Annotated[int, Field(ge=1, le=100)] = 6
    """How many chunks a search returns, and an answer is made from."""

    chunk_size: Annotated[int, Field(ge=50, le=100_000)] = 500
    """The longest chunk, in characters."""

    chunk_overlap: Annotated[int, Field(ge=0)] = 50
    """How much of a chunk its follower repeats, in characters."""

    separator: str | None = None
    """A literal text between articles; `None` is a line of three or more dashes and nothing else."""

    answer: Literal["auto", "generate", "quote"] = "auto"
    """Whose words answer: the model's, checked against quotes; the best quotes themselves; or what suits the model."""

    rewrite: Literal["auto", "model", "builtin"] = "auto"
    """Who says a follow-up in full: the model, in one call more; the built-in rules; or the model where it is large enough."""

    judge: str = "auto"
    """What a generated sentence may stand on that no quote says word for word, where names, numbers, dates and negation match:
    nothing (`builtin`), an NLI cross-encoder (`huggingface:<id or folder>`), the chat model (`model`), or (`auto`) the chat model
    where it is known to have 7 billion parameters or more, else nothing."""

    search: Literal["auto", "exact", "int8"] = "auto"
    """How the vectors of documents are searched: all as they are (`exact`); all in eight bits, and the best few hundred again as
    they are (`int8`, which needs `pip install "rag-agent[int8]"`); or (`auto`) exactly up to 512 MB of vectors, 350,000 chunks of
    384 numbers, and beyond in eight bits where that package is there. `rag-agent doctor` measures both for an index."""

    reranker: str | None = None
    """What puts the passages that a search finds in their last order: `huggingface:<id or folder>`, a cross-encoder that reads
    the query with each of them; `None` leaves the order of the search."""

    refusal_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Least probability of an answer in the passages found, 0 to 1, for which one is given: higher refuses more.
    `rag-agent eval --calibrate` fits it to your own questions."""

    language: Literal["auto", "en", "nl", "de"] = "auto"
    """In which language the program's own sentences are said: that of the question, where it is one of these, else English."""

    generation: Annotated[dict[str, Any], NoDecode] = Field(default_factory=dict)
    """Generation settings by their transformers names, such as `temperature` and `max_new_tokens`."""

    memories: bool = True
    """Whether what a user states of themselves, or asks to keep, in a conversation is kept and recalled in others."""

    user: Annotated[str, Field(min_length=1)] = "local"
    """Whose memories are kept and recalled."""

    tracing: bool = False
    """Whether LangChain may send what is asked and read to a tracing server, where its own variables ask for that."""

    @model_validator(mode="before")
    @classmethod
    def _read_home(cls, values: Any) -> Any:
        """A home on a server is a database; the folder then is the default one."""
        if isinstance(values, dict) and is_url(values.get("home")):
            values = {**values, "database": values["home"]}
            del values["home"]
        return values

    @field_validator("database")
    @classmethod
    def _database_is_known(cls, value: str | None) -> str | None:
        if value is not None and not is_url(value):
            raise ValueError("it names no PostgreSQL database; write it like postgresql://user@host/name")
        return value

    @model_validator(mode="before")
    @classmethod
    def _read_generation(cls, values: Any) -> Any:
        """`RAG_AGENT_GENERATION="temperature=0.7 seed=1"` reads like `--set` does."""
        given = values.get("generation") if isinstance(values, dict) else None
        return {**values, "generation": assignments(given.split())} if isinstance(given, str) else values

    @field_validator("judge")
    @classmethod
    def _judge_is_known(cls, value: str) -> str:
        if value not in ("auto", "builtin", "model") and not re.fullmatch(r"huggingface:\S.*", value):
            raise ValueError(f"'{value}' is no judge; name auto, builtin, model, or huggingface:<id or folder>")
        return value

    @field_validator("reranker")
    @classmethod
    def _reranker_is_known(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"huggingface:\S.*", value):
            raise ValueError(f"'{value}' is no reranker; name huggingface:<id or folder>, or leave it out")
        return value

    @model_validator(mode="after")
    def _overlap_is_smaller_than_chunk(self) -> Self:
        if self.chunk_overlap >= self.chunk_size:
            raise ValueError(f"chunk_overlap ({self.chunk_overlap}) must be smaller than chunk_size ({self.chunk_size})")
        if self.separator == "":
            raise ValueError("separator must not be empty; leave it out for a line of three or more dashes")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The order of precedence, first wins; a project's `.env` belongs to other programs and is not read."""
        home = init_settings.init_kwargs.get("home") if isinstance(init_settings, InitSettingsSource) else None
        return init_settings, env_settings, InitSettingsSource(settings_cls, _project_file(settings_cls, trust_home(home)))

    @classmethod
    def load(cls, **given: Any) -> Self:
        """The settings in force, with `given` (those that are not `None`) before every other source.

        Raises:
            SettingsError: A value cannot be used, or a name is unknown; the message names it and where it came from.
        """
        _refuse_unknown_variables(cls)
        try:
            found = cls(**{name: value for name, value in given.items() if value is not None})
            # Who asks for a home that writes nothing gets one, whatever database the surroundings name.
            forgets = given.get("home") == MEMORY and given.get("database") is None
            return found.model_copy(update={"database": None}) if forgets else found
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0]) if first["loc"] else ""
            message = first["msg"].removeprefix("Value error, ")
            raise SettingsError(f"{_origin(name, given)}: {message[:1].lower()}{message[1:]}".lstrip(": ")) from error
        except SourceError as error:
            raise SettingsError(f"the settings cannot be read: {error}") from error

    @property
    def folder(self) -> Path | None:
        """The home as an absolute folder, or `None` for ":memory:"."""
        return None if self.home == MEMORY else Path(self.home).expanduser().absolute()

    def docs_or(self, given: Path | None) -> Path:
        """The documents to ask: those that are given, else the setting, else ./rag_data where it exists.

        Raises:
            DocumentsError: None of these.
        """
        path = given or self.docs or (Path("rag_data") if Path("rag_data").is_dir() else None)
        if path is None:
            raise DocumentsError("which documents? name a folder or file with --docs PATH, or ask without any with --no-docs")
        return path

    @property
    def model_folders(self) -> list[Path]:
        """Where models may lie, in the order to look: this home, then the default one. Models are written to the first."""
        default = Path.home() / ".rag-agent"
        return [folder / "models" for folder in dict.fromkeys((self.folder or default, default))]


def config_file() -> Path | None:
    """The file of settings in force: the one that `RAG_AGENT_CONFIG` names, else the working folder's where there is one.

    Raises:
        SettingsError: The file that is named is not there.
    """
    if named := os.environ.get(CONFIG):
        path = Path(named).expanduser()
        if not path.is_file():
            raise SettingsError(f"{path} is no file of settings; name one that exists with --config or {CONFIG}")
        return path
    return Path(TOML_FILE) if Path(TOML_FILE).is_file() else None


def trust_home(home: Any = None) -> Path:
    """The home that remembers which files of settings are trusted: never one that such a file names itself."""
    given = str(home or os.environ.get(f"{ENV_PREFIX}HOME") or MEMORY)
    return Path.home() / ".rag-agent" if given == MEMORY or is_url(given) else Path(given).expanduser().absolute()


def read_config(path: Path) -> tuple[bytes, dict[str, Any]]:
    """A file of settings: its bytes, and what they say.

    Raises:
        SettingsError: It cannot be read, or is no TOML.
    """
    try:
        data = path.read_bytes()
        return data, tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}); mend or remove it") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path.absolute()} is not valid TOML: {error}; mend or remove it") from error


def _project_file(cls: type[BaseSettings], home: Path) -> dict[str, Any]:
    """What the file of settings says, as far as it counts."""
    path = config_file()
    if path is None:
        return {}
    data, values = read_config(path)
    if os.environ.get(CONFIG) or trust.trusted(home, path, data):
        return values
    # A setting is known in any case ("homE"), so what is harmless is told by its exact name.
    left_out = sorted(name for name in values if name.lower() in cls.model_fields and name not in HARMLESS)
    if left_out:
        tell_once(
            f"{path.absolute()} is not trusted, so it does not set {', '.join(left_out)}; read it, then type "
            "`rag-agent trust` in its folder, or remove it"
        )
    return {name: value for name, value in values.items() if name not in left_out}


def assignments(words: list[str]) -> dict[str, Any]:
    """`["temperature=0.7", "stop=END"]` as a dictionary; numbers, true, false and none are read as such.

    Raises:
        SettingsError: A word has no `=`.
    """
    values: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise SettingsError(f"'{word}' is not name=value; write it like temperature=0.7")
        values[name] = _literal(value)
    return values


def _literal(text: str) -> Any:
    constants: dict[str, Any] = {"true": True, "false": False, "none": None}
    if text.lower() in constants:
        return constants[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _refuse_unknown_variables(cls: type[BaseSettings]) -> None:
    """A misspelt variable would otherwise be ignored without a word."""
    for variable in os.environ:
        name = variable.removeprefix(ENV_PREFIX).lower()
        if not variable.startswith(ENV_PREFIX) or variable.startswith(f"{ENV_PREFIX}TEST_"):
            continue
        if name not in cls.model_fields and variable not in (CONFIG, TOKEN):
            near = difflib.get_close_matches(name, [*cls.model_fields, "config", "token"], n=1)
            hint = f"did you mean {ENV_PREFIX}{near[0].upper()}?" if near else "unset it"
            raise SettingsError(f"the variable {variable} is no setting; {hint}")


def _origin(name: str, given: dict[str, Any]) -> str:
    """Where the value of a field came from, in words."""
    if not name or given.get(name) is not None:
        return name
    if f"{ENV_PREFIX}{name.upper()}" in os.environ:
        return f"{name} (from {ENV_PREFIX}{name.upper()})"
    return f"{name} (from {os.environ.get(CONFIG) or TOML_FILE})"
