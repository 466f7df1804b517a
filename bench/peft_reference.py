"""What puna-train does, by PEFT: peft_reference.py MODEL ROWS FIRST_ADAPTER TYPE ROWS_A_STEP STEPS RATE THREADS. A line of JSON a step.

MODEL is the same GGUF, which transformers widens to TYPE ("float32", "bfloat16"); the adapter begins with the same A. A step is one batch, padded to its
longest row, as transformers' default collator does it; what is padded or not trained has the label -100.
"""

import json
import resource
import sys
import time
from pathlib import Path

import gguf
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

MODULES = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
           "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}


def take_first(model, file):
    """Gives the model the A of an adapter file. B is zero in both."""
    parameters = dict(model.named_parameters())
    taken = 0
    for tensor in gguf.GGUFReader(file).tensors:
        if not tensor.name.endswith(".lora_a"):
            continue
        _, layer, name, *_ = tensor.name.split(".")
        parameter = parameters[f"base_model.model.model.layers.{layer}.{MODULES[name]}.lora_A.default.weight"]
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(tensor.data.reshape(parameter.shape).copy()))
        taken += 1
    if taken != sum("lora_A" in name for name in parameters):
        raise SystemExit(f"peft_reference: {taken} tensors of {file} do not fit the model's adapter")


def padded(rows):
    longest = max(len(row["tokens"]) for row in rows)
    filled = lambda values, filler: list(values) + [filler] * (longest - len(values))  # noqa: E731
    labels = [[token if weight else -100 for token, weight in zip(row["tokens"], row["weights"])] for row in rows]
    return {"input_ids": torch.tensor([filled(row["tokens"], 0) for row in rows]), "labels": torch.tensor([filled(row, -100) for row in labels]),
            "attention_mask": torch.tensor([filled([1] * len(row["tokens"]), 0) for row in rows])}


def main(model_file, rows_file, adapter_file, dtype, rows_a_step, steps, rate, threads):
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    model_file = Path(model_file)
    model = AutoModelForCausalLM.from_pretrained(model_file.parent, gguf_file=model_file.name, dtype=getattr(torch, dtype))
    model = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules=[name.split(".")[1] for name in MODULES.values()],
                                             task_type="CAUSAL_LM"))
    take_first(model, adapter_file)
    model.train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=float(rate), weight_decay=0)
    rows = [json.loads(line) for line in Path(rows_file).read_text().splitlines()]
    for step in range(int(steps)):
        batch = padded(rows[step * int(rows_a_step):(step + 1) * int(rows_a_step)])
        began, cpu = time.perf_counter(), time.process_time()
        loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        print(json.dumps({"step": step + 1, "loss": loss.item(), "tokens": batch["input_ids"].numel(),
                          "trained": int((batch["labels"][:, 1:] != -100).sum()), "seconds": time.perf_counter() - began,
                          "cpu_seconds": time.process_time() - cpu,
                          "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
