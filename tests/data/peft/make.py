"""Writes what PyTorch, transformers and PEFT say of a tiny model: tests compare it with what Puna says, and need none of the three.

usage: make.py TINY_MODEL_PROGRAM ARCHITECTURE...     (pip install torch transformers peft gguf)

For each architecture a folder beside this file: a LoRA as PEFT saves it, and expected.safetensors with the tokens, the logits and the
gradient of every LoRA tensor of the summed cross-entropy. The base is not kept: puna-tiny-model makes the same one anywhere.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import gguf
import numpy
import peft
import torch
import transformers
from safetensors.torch import save_file

TOKENS = 40
NAMES = {
    "token_embd": "model.embed_tokens",
    "output": "lm_head",
    "output_norm": "model.norm",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_qkv": "self_attn.qkv_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_norm": "post_attention_layernorm",
    "post_attention_norm": "post_attention_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


class Figures:
    """What the file says of itself."""

    def __init__(self, reader, architecture):
        self.reader, self.architecture = reader, architecture

    def __call__(self, key):
        field = self.reader.fields.get(f"{self.architecture}.{key}")
        return None if field is None else field.contents()


KINDS = {
    "llama": transformers.LlamaConfig,
    "qwen2": transformers.Qwen2Config,
    "qwen3": transformers.Qwen3Config,
    "gemma": transformers.GemmaConfig,
    "gemma2": transformers.Gemma2Config,
    "gemma3": transformers.Gemma3TextConfig,
    "phi3": transformers.Phi3Config,
}


def windows(architecture, figure):
    if figure("attention.sliding_window") is None:
        return {}
    layers, pattern = figure("block_count"), figure("attention.sliding_window_pattern")
    options = {
        "sliding_window": figure("attention.sliding_window"),
        "query_pre_attn_scalar": figure("attention.key_length"),
        "layer_types": ["full_attention" if (layer + 1) % pattern == 0 else "sliding_attention" for layer in range(layers)],
    }
    if architecture == "gemma2":
        options["attn_logit_softcapping"] = figure("attn_logit_softcapping")
        options["final_logit_softcapping"] = figure("final_logit_softcapping")
    else:
        options["rope_local_base_freq"] = figure("rope.freq_base_swa")
    return options


def configuration(architecture, figure, vocabulary):
    return KINDS[architecture](
        vocab_size=vocabulary,
        hidden_size=figure("embedding_length"),
        intermediate_size=figure("feed_forward_length"),
        num_hidden_layers=figure("block_count"),
        num_attention_heads=figure("attention.head_count"),
        num_key_value_heads=figure("attention.head_count_kv"),
        head_dim=figure("attention.key_length"),
        rms_norm_eps=figure("attention.layer_norm_rms_epsilon"),
        rope_theta=figure("rope.freq_base"),
        max_position_embeddings=figure("context_length"),
        pad_token_id=0,
        tie_word_embeddings=True,
        attn_implementation="eager",
        **windows(architecture, figure),
    )


def as_transformers_has_it(architecture, name, values, figure):
    """A tensor's numbers before llama.cpp's converter laid them out anew."""
    if architecture == "llama" and name in ("attn_q", "attn_k"):
        heads = figure("attention.head_count" if name == "attn_q" else "attention.head_count_kv")
        return values.reshape(heads, values.shape[0] // heads // 2, 2, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)
    if architecture.startswith("gemma") and name.endswith("norm"):
        return values - 1  # transformers adds it back
    return values


def name_of(architecture, name):
    if name == "ffn_norm" and architecture in ("gemma2", "gemma3"):
        return "pre_feedforward_layernorm"
    if name == "ffn_up" and architecture == "phi3":
        return "mlp.gate_up_proj"
    return NAMES[name]


def load(architecture, file):
    reader = gguf.GGUFReader(file)
    figure = Figures(reader, architecture)
    state = {}
    for tensor in reader.tensors:
        words = tensor.name.split(".")
        layer = f"model.layers.{words[1]}." if words[0] == "blk" else ""
        name = words[2] if layer else words[0]
        values = as_transformers_has_it(architecture, name, numpy.array(tensor.data), figure)
        state[f"{layer}{name_of(architecture, name)}.{words[-1]}"] = torch.from_numpy(values.copy())
    vocabulary = state["model.embed_tokens.weight"].shape[0]
    model = transformers.AutoModelForCausalLM.from_config(configuration(architecture, figure, vocabulary), dtype=torch.float32)
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    model.tie_weights()
    return model, vocabulary


def adapted(model, architecture):
    torch.manual_seed(1)
    fused = architecture == "phi3"
    apart = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    options = peft.LoraConfig(
        r=4,
        lora_alpha=8,
        target_modules=["qkv_proj", "o_proj", "gate_up_proj", "down_proj"] if fused else apart,
        rank_pattern={"model.layers.1.self_attn." + ("qkv_proj" if fused else "q_proj"): 6},
        alpha_pattern={"down_proj": 2},
        task_type="CAUSAL_LM",
    )
    model = peft.get_peft_model(model, options)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.uniform_(parameter, -0.05, 0.05)
    return model.eval()


def make(program, architecture):
    folder = pathlib.Path(__file__).parent / architecture
    with tempfile.TemporaryDirectory() as place:
        file = pathlib.Path(place) / "base.gguf"
        subprocess.run([program, file, "--random", architecture], check=True)
        base, vocabulary = load(architecture, file)
    model = adapted(base, architecture)
    tokens = torch.randint(vocabulary, (1, TOKENS), generator=torch.Generator().manual_seed(2))
    logits = model(tokens).logits
    torch.nn.functional.cross_entropy(logits[0, :-1], tokens[0, 1:], reduction="sum").backward()
    model.save_pretrained(folder)
    (folder / "README.md").unlink()
    expected = {"tokens": tokens[0].float(), "logits": logits[0].detach().contiguous()}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            expected["gradient." + name.replace(".default", "")] = parameter.grad
    save_file(expected, folder / "expected.safetensors")
    print(architecture, json.loads((folder / "adapter_config.json").read_text())["peft_type"], logits.abs().mean().item())


if __name__ == "__main__":
    for wanted in sys.argv[2:]:
        make(sys.argv[1], wanted)
