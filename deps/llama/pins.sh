# Which llama.cpp Puna is built with, and how a copy of it is proved. To move to another version, change these and run ./dev setup.
llama_version=v0.5.0

# One hash over the part of the tree that is compiled, so that every origin gives the same source. `llama_tree_hash DIR` computes it.
llama_tree_parts=(CMakeLists.txt LICENSE cmake common ggml include licenses scripts src tools vendor)
llama_tree_sha256=64f78efd2726b6abe3143bbec98761af32e08fd603fdb8b7a0ecd2209bae2c19

# Where upstream cannot be reached: this npm package carries the release as a git bundle.
llama_npm_package=node-llama-cpp
llama_npm_version=3.22.1
llama_npm_integrity=sha512-bltIipuWmc123H7tMIgDGKSsSrhmhlQYeVUC48XTjVW7XGJJiJJyCdlTMzQ/LiWoPkGDpcL4FviDpgw7qfTiDw==
llama_npm_bundle=package/llama/gitRelease.bundle
llama_bundle_sha256=5f5d1105d5df040738d87b8290e5d17e7362131cdcfdb0831618e0ea528b4a51
llama_bundle_commit=de3ff815ea7d559ee917f063901b8986f038abc6
