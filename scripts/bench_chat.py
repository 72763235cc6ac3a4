"""The chat model of this process against others with the same weights: same replies, time, memory.

    python scripts/bench_chat.py equal  [--prompts 50] [--tokens 24]   # greedy replies against transformers' own generate
    python scripts/bench_chat.py speed  [--prompts 30] [--ollama PROGRAM --gguf FILE]
    python scripts/bench_chat.py turns  [--turns 20]                   # seconds to the first token as a conversation grows
    python scripts/bench_chat.py cancel                                # seconds until a closed stream has stopped

The prompts are questions of XQuAD, each behind the text around its answer. Every contender of `speed` and `turns` has a
process of its own; they take turns prompt by prompt, so that whatever else the machine does disturbs them alike, and wait
asleep meanwhile. No two prompts of `speed` begin alike, so that nobody's prefix cache helps. `--results` keeps what was
measured in a file, and `--start` goes on from a prompt: a long run in parts.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from chat_contenders import EXACT, SYSTEM, folder, served, started
from eval_data import DATA, some
from langchain_core.messages import AIMessage, HumanMessage

from rag_agent.models import chat_model
from rag_agent.settings import Settings

TURNS = ["ours", "ChatHuggingFace"]


def prompts(data: Path, number: int, characters: int, *, pairs: bool = False) -> list[str]:
    """Questions of XQuAD behind the text around their answers, spread evenly; with `pairs`, two to a text."""
    folder = data / "xquad"
    rows = [json.loads(line) for line in (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["answerable"]]
    found = []
    for row in some(rows, -(-number // 2) if pairs else number):
        text = (folder / "docs" / row["file"]).read_text(encoding="utf-8")
        at = max(0, text.find(row["answers"][0]) - characters // 2)
        asked = [row["question"], "What is this text about?"] if pairs else [row["question"]]
        found += [f"Text: {text[at : at + characters]}\nQuestion: {question}" for question in asked]
    return found[:number]


# --- equal --------------------------------------------------------------------------------------------------------------


def shallow(target: Path) -> str:
    """An assistant of the same vocabulary: the first two layers of the model."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder())
    model.model.layers = model.model.layers[:2]
    model.config.num_hidden_layers = 2
    model.save_pretrained(target)
    AutoTokenizer.from_pretrained(folder()).save_pretrained(target)
    return str(target)


def raw_replies(asked: list[str], tokens: int) -> list[str]:
    """What transformers' own `generate` replies in float32."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder())
    model = AutoModelForCausalLM.from_pretrained(folder(), dtype=torch.float32)
    found = []
    for text in asked:
        turns = [{"role": "system", "content": SYSTEM.text}, {"role": "user", "content": text}]
        given = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        out = model.generate(**given, do_sample=False, max_new_tokens=tokens)
        found.append(tokenizer.decode(out[0, given["input_ids"].shape[1] :], skip_special_tokens=True))
    return found


def equal(given: argparse.Namespace) -> None:
    """Print how many replies are those of `generate`."""
    asked = prompts(given.data, 50, 500, pairs=True)[given.start : given.start + given.prompts]
    with tempfile.TemporaryDirectory() as scratch:
        variants: dict[str, dict[str, Any]] = {
            "float32": {**EXACT, "prefix_cache": False},
            "float32, prefix cache": EXACT,
            "float32, prompt lookup": {**EXACT, "prompt_lookup_num_tokens": 8},
            "float32, assistant_model": {**EXACT, "assistant_model": shallow(Path(scratch))},
            "bfloat16": {"quantization": None, "dtype": "bfloat16"},
            "8bit": {"quantization": "8bit"},
        }
        expected = raw_replies(asked, given.tokens)
        for name, settings in variants.items():
            model = chat_model("embedded", settings=Settings.load(), max_new_tokens=given.tokens, **settings)
            began = time.perf_counter()
            replies = [model.invoke([SYSTEM, HumanMessage(text)]).text for text in asked]
            same = sum(one == other for one, other in zip(replies, expected, strict=True))
            print(f"{name:26} {same:3} of {len(asked)} replies equal, {time.perf_counter() - began:6.1f} s", flush=True)


# --- speed and turns ------------------------------------------------------------------------------------------------------


def speed(given: argparse.Namespace) -> None:
    """Print the median times of each contender, and their ratios to ours."""
    names = ["ours", "ours, float32", "ChatHuggingFace", *(["Ollama"] if given.ollama else [])]
    rows: list[dict[str, Any]] = []
    if given.results and given.results.exists():
        rows = [json.loads(line) for line in given.results.read_text(encoding="utf-8").splitlines()]
    asked = prompts(given.data, 30, 2350)[given.start : given.start + given.prompts]
    with served(given.ollama, given.gguf) as (environment, server_peak), started(names, 64, environment) as ask:
        for name in names:
            ask[name](["Say hello."])  # loaded, and warm
        for number, text in enumerate(asked):
            for name in names[number % len(names) :] + names[: number % len(names)]:
                row = ask[name]([text])
                if name == "Ollama":
                    row["peak"] = server_peak()
                rows.append({"name": name, "prompt": given.start + number, **row})
    if given.results:
        given.results.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    counting: Any = chat_model("embedded", settings=Settings.load())
    for row in rows:  # counted alike for all: ChatHuggingFace tells no number
        row["tokens"] = counting.count_tokens([AIMessage(row["text"])]) - counting.count_tokens([AIMessage("")])
    ours = summed(rows, "ours")["total"]
    print(f"{len(rows) // len(names)} prompts; {machine()}")
    print(f"{'':18} {'first token, s':>15} {'tokens/s':>9} {'whole, s':>9} {'tokens':>7} {'peak, GB':>9} {'whole / ours':>13}")
    for name in names:
        found = summed(rows, name)
        rate = (found["tokens"] - 1) / (found["total"] - found["first"])
        print(
            f"{name:18} {found['first']:15.2f} {rate:9.1f} {found['total']:9.2f} {found['tokens']:7.1f} "
            f"{found['peak'] / 1e9:9.2f} {found['total'] / ours:13.2f}"
        )


def summed(rows: list[dict[str, Any]], name: str) -> dict[str, float]:
    """The means of a contender, and its highest memory."""
    own = [row for row in rows if row["name"] == name]
    means = {key: statistics.mean(row[key] for row in own) for key in ("first", "total", "tokens")}
    return {**means, "peak": max(row["peak"] for row in own)}


def machine() -> str:
    """The processor's speed-ups and the libraries that ran."""
    import torch
    import transformers

    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    known = [flag for flag in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8") if f" {flag}" in flags]
    threads = torch.get_num_threads()
    return (
        f"{platform.machine()} {' '.join(known)}, {threads} threads, torch {torch.__version__}, "
        f"transformers {transformers.__version__}"
    )


def turns(given: argparse.Namespace) -> None:
    """Print the seconds to the first token of each turn of a conversation."""
    texts = [text.partition("\n")[0][:300] for text in prompts(given.data, given.turns, 300)]
    rounds: dict[str, list[list[float]]] = {name: [] for name in TURNS}
    with started(TURNS, 12, dict(os.environ)) as ask:
        for number in range(given.rounds + 1):
            said: dict[str, list[str]] = {name: [] for name in TURNS}
            times: dict[str, list[float]] = {name: [] for name in TURNS}
            for turn in range(given.turns if number else 1):
                for name in TURNS:
                    said[name].append(f"Conversation {number}. {texts[turn]}")
                    reply = ask[name](said[name])
                    said[name].append(reply["text"])
                    times[name].append(reply["first"])
            for name in TURNS if number else []:  # the first is a warm-up
                rounds[name].append(times[name])
    print(f"median of {given.rounds} conversations; {machine()}")
    marks = [mark for mark in (2, 5, 10, 15, 20, 30) if mark <= given.turns]
    print(f"{'first token, s':18}" + "".join(f"{f'turn {mark}':>9}" for mark in marks) + f"{'last / turn 2':>15}")
    for name in TURNS:
        at = {mark: statistics.median(times[mark - 1] for times in rounds[name]) for mark in marks}
        print(f"{name:18}" + "".join(f"{at[mark]:9.2f}" for mark in marks) + f"{at[marks[-1]] / at[2]:15.2f}")


# --- cancel -------------------------------------------------------------------------------------------------------------


def cancel(given: argparse.Namespace) -> None:
    """Print how long closing a stream takes, and what the processor does afterwards."""
    model: Any = chat_model("embedded", settings=Settings.load(), max_new_tokens=256, min_new_tokens=256)
    model.invoke("Say hello.", max_new_tokens=2, min_new_tokens=2)
    closing, after = [], []
    for text in prompts(given.data, given.prompts, 2350):
        stream = model.stream([SYSTEM, HumanMessage(text)])
        for _ in range(3):
            next(stream)
        began = time.perf_counter()
        stream.close()
        closing.append(time.perf_counter() - began)
        busy = time.process_time()
        time.sleep(0.5)
        after.append((time.process_time() - busy) / 0.5)
    print(f"{len(closing)} streams closed: {max(closing):.3f} s at the most (at most 0.5)")
    print(f"processor in the half second after: {max(after):.0%} of one core at the most; {machine()}")


def main() -> None:
    """Run one of the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for run, number in ((equal, 50), (speed, 30), (turns, 0), (cancel, 5)):
        one = commands.add_parser(run.__name__)
        one.set_defaults(run=run)
        one.add_argument("--data", type=Path, default=DATA, help="folder of the evaluation data")
        one.add_argument("--prompts", type=int, default=number)
        one.add_argument("--start", type=int, default=0)
        one.add_argument("--tokens", type=int, default=24)
        one.add_argument("--turns", type=int, default=20)
        one.add_argument("--rounds", type=int, default=3)
        one.add_argument("--results", type=Path)
        one.add_argument("--ollama", type=Path, help="the program")
        one.add_argument("--gguf", type=Path, help="the embedded model's .gguf file")
    given = parser.parse_args()
    given.run(given)


if __name__ == "__main__":
    main()
