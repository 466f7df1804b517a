# ./dev docs                                 print docs/{settings,openai,api,cli}.md from the program's own tables
. tools/dev/lib/presets.sh
. tools/dev/lib/compile.sh
./dev setup dev
compile dev puna puna-reference
folder=$(build_folder dev)
"$folder/tools/reference/puna-reference" --write docs
"$folder/bin/puna" help --markdown > docs/cli.md
