"""Training beside PEFT: the same base, adapter, rows, steps and optimizer, each in a process of its own."""

import json
import os
import random
import statistics
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEADLINE = 1800
RATE = 5e-4
# What each variant is: the file type that llama.cpp's quantizer makes of the model, and puna-train's or PEFT's further words.
PUNA = {"F32": (0, []), "F32, all kept": (0, ["--keep"]), "Q8_0": (7, []), "Q4_K_M": (15, []), "Q8_0, bfloat16 products": (7, ["--bf16"])}
PEFT = {"float32": "float32", "bfloat16": "bfloat16"}
REFERENCE = "float32"
CONTEXT = 512


class Workload:
    def __init__(self, name, title, rows_a_step, steps, rounds, variants, goals):
        self.name, self.title, self.rows_a_step, self.steps, self.rounds = name, title, rows_a_step, steps, rounds
        self.variants, self.goals = variants, goals

    @property
    def rows(self):
        return self.steps * self.rows_a_step


FULL = Workload("full", f"rows of {CONTEXT} tokens, all trained", 4, 2, 1, list(PUNA),
                {"Puna, F32": "at least 1 of the speed, 1/3 of the memory", "Puna, Q8_0": "1/5 of the memory"})
# As many rows a step as both programs take unless told otherwise.
CHATS = Workload("chats", f"chats, 40 to {CONTEXT} tokens, a third trained", 8, 6, 1,
                 ["F32", "F32, all kept", "Q8_0", "Q8_0, bfloat16 products"], {"Puna, F32, all kept": "at least 2 of the speed"})


def sentences():
    """Text of our own: the documentation's paragraphs."""
    paragraphs = [part for page in sorted(ROOT.glob("docs/**/*.md")) for part in page.read_text().split("\n\n")]
    return [" ".join(part.split()) for part in paragraphs if len(part) > 80 and not part.startswith(("|", "```", "#"))]


def tokens_of(server, model, texts):
    """Texts as the model's tokens, by llama.cpp."""
    with tempfile.TemporaryDirectory(prefix="puna-bench-") as home:
        where = f"{home}/llama.sock"
        process = subprocess.Popen([server, "-m", model, "--host", where, "-c", "64", "--no-webui", "--no-warmup"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            ask = ["curl", "-s", "--fail", "--unix-socket", where, "--retry", "60", "--retry-all-errors", "--retry-delay", "1", "--max-time", "120"]
            subprocess.run([*ask, "http://x/health"], check=True, capture_output=True)
            return [json.loads(subprocess.run([*ask, "http://x/tokenize", "--data-binary", "@-"], input=json.dumps({"content": text}), text=True,
                                              check=True, capture_output=True).stdout)["tokens"] for text in texts]
        finally:
            process.terminate()
            process.wait(60)


def full_rows(tokens, count):
    """Rows of the full length, every token trained: the paragraphs in one stream, cut into pieces."""
    stream = [token for text in tokens for token in text]
    while len(stream) < count * CONTEXT:
        stream += stream
    return [{"tokens": stream[i * CONTEXT:(i + 1) * CONTEXT], "weights": [1] * CONTEXT} for i in range(count)]


def chat_rows(tokens, count):
    """Rows of lengths as chats have them (log-normal, a median of 150 tokens, 40 to CONTEXT), of which the last third is an answer."""
    dice = random.Random(7)
    stream = [token for text in tokens for token in text]
    rows = []
    for _ in range(count):
        length = max(40, min(CONTEXT, round(dice.lognormvariate(5, 0.8))))
        first = dice.randrange(len(stream) - length)
        answer = length // 3
        rows.append({"tokens": stream[first:first + length], "weights": [0] * (length - answer) + [1] * answer})
    return rows


def trained(words, environment=None):
    """The lines that a training told."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=DEADLINE, env=environment)
    if done.returncode != 0:
        raise SystemExit(f"bench: {words[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def speed(lines):
    """Trained tokens a second, without the first step, which takes memory for the first time."""
    return sum(line["trained"] for line in lines[1:]) / sum(line["seconds"] for line in lines[1:])


class Contest:
    def __init__(self, home, puna, train, peft, server, model, threads):
        self.home, self.train, self.peft, self.threads = Path(home), train, peft, threads
        self.models = {}
        for kind in {kind for kind, _ in PUNA.values()}:
            folder = self.home / f"type-{kind}"
            folder.mkdir()
            self.models[kind] = folder / "model.gguf"
            subprocess.run([puna, "worker", "--quantize", model, "--output", self.models[kind], "--file-type", str(kind), "--requantize", "yes"],
                           check=True, capture_output=True, timeout=DEADLINE)
        self.tokens = tokens_of(server, model, sentences())
        self.first = self.home / "first.gguf"

    def ours(self, work, rows, variant):
        kind, further = PUNA[variant]
        return trained([self.train, self.models[kind], rows, "--rows", work.rows_a_step, "--steps", work.steps, "--threads", self.threads,
                        "--rate", RATE, "--capacity", CONTEXT, "--first-adapter", self.first, *further])

    def theirs(self, work, rows, variant):
        return trained([self.peft, ROOT / "bench" / "peft_reference.py", self.models[0], rows, self.first, PEFT[variant], work.rows_a_step,
                        work.steps, RATE, self.threads], {**os.environ, "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"})

    def rounds(self, work, rows):
        """Every variant once in each round, one after the other: name -> lines."""
        file = self.home / f"{work.name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return [{f"Puna, {variant}": self.ours(work, file, variant) for variant in work.variants} |
                {f"PEFT, {variant}": self.theirs(work, file, variant) for variant in PEFT} for _ in range(work.rounds)]


def rows_of(work, rounds):
    """The table of one workload: medians over the rounds, and ratios pair by pair with PEFT in float32."""
    reference = f"PEFT, {REFERENCE}"
    out = []
    for variant in rounds[0]:
        rate = statistics.median(speed(each[variant]) for each in rounds)
        peak = max(each[variant][-1]["peak_mib"] for each in rounds)
        loss = rounds[-1][variant][-1]["loss"]
        ratio = statistics.median(speed(each[variant]) / speed(each[reference]) for each in rounds)
        memory = peak / max(each[reference][-1]["peak_mib"] for each in rounds)
        apart = 100 * (loss / rounds[-1][reference][-1]["loss"] - 1)
        measured = f"{rate:.0f} trained tokens/s" if variant == reference else f"{ratio:.2f} of PEFT's speed, {memory:.2f} of its memory"
        how = f"{peak:.0f} MiB, last loss {loss:.4f}" if variant == reference else f"{rate:.0f} trained tokens/s, {peak:.0f} MiB, last loss {apart:+.2f} %"
        out.append((f"{work.title}: {variant}", measured, work.goals.get(variant, ""), how))
    return out


COLOURS = ("#1b6ca8", "#d1495b", "#2e933c", "#8d5a97", "#edae49", "#5c6b73", "#00798c")


def plot(curves):
    """Loss over steps, one line each, as an SVG."""
    width, height, left, top = 720, 360, 60, 20
    steps = max(len(curve) for curve in curves.values())
    low, high = (pick(loss for curve in curves.values() for loss in curve) for pick in (min, max))
    span = (high - low) or 1
    x = lambda i: left + i * (width - left - 200) / max(1, steps - 1)  # noqa: E731
    y = lambda loss: top + (high - loss) * (height - top - 40) / span  # noqa: E731
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
             f'<rect width="{width}" height="{height}" fill="white"/>']
    for i in range(5):
        value = low + span * i / 4
        lines.append(f'<text x="{left - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.2f}</text>')
        lines.append(f'<path d="M{left} {y(value):.1f}H{width - 200}" stroke="#ddd"/>')
    lines.append(f'<text x="{left}" y="{height - 12}">loss at steps 1 to {steps}</text>')
    for index, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[index % len(COLOURS)]
        points = " ".join(f"{x(i):.1f},{y(loss):.1f}" for i, loss in enumerate(curve))
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        lines.append(f'<text x="{width - 190}" y="{top + 14 + 18 * index}" fill="{colour}">{name}</text>')
    return "\n".join([*lines, "</svg>", ""])


def tune(puna, train, peft, server, model, threads):
    with tempfile.TemporaryDirectory(prefix="puna-bench-") as home:
        contest = Contest(home, puna, train, peft, server, model, threads)
        full = contest.rounds(FULL, full_rows(contest.tokens, FULL.rows))
        chats = contest.rounds(CHATS, chat_rows(contest.tokens, CHATS.rows))
        curves = {name: [line["loss"] for line in lines] for name, lines in chats[0].items()}
        (ROOT / "docs" / "benchmarks-loss.svg").write_text(plot(curves))
        return [*rows_of(FULL, full), *rows_of(CHATS, chats)]
