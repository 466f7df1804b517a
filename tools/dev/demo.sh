# ./dev demo                                 from nothing to a conversation with a real model
. deps/model/pins.sh
./dev setup --model release
./dev build release
puna=build/puna
if ! "$puna" show "$model_name" >/dev/null 2>&1; then
  step "taking $model_file into the library as $model_name" "$puna" pull "build/deps/models/$model_file" --name "$model_name" >&2
  if ((step_status)); then fail "puna could not take the model into its library" "Where the port is taken: PUNA_PORT=0 ./dev demo uses any that is free. 'build/puna doctor' says what else is wrong."; fi
fi
if [[ -t 0 && -t 1 ]]; then
  say "here it is; /help lists what you can type, Ctrl-D leaves"
  exec "$puna" run "$model_name"
fi
say "asking $model_name one question, as there is no terminal"
exec "$puna" run "$model_name" "In one short sentence: why is the sky blue?"
