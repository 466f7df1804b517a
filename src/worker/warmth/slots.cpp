#include "worker/warmth/slots.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <memory>
#include <span>

#include "llama.h"
#include "os/mapped_file.h"
#include "server-context.h"

namespace puna::worker {
namespace {

using std::chrono::steady_clock;

// One task and its one result.
Result<server_task_result_ptr> run(server_context& context, server_task task, Milliseconds limit) {
  try {
    auto reader = context.get_response_reader();
    const auto due = steady_clock::now() + limit;
    task.id = reader.get_new_id();
    reader.post_task(std::move(task));
    while (true) {
      auto result = reader.next([&] { return steady_clock::now() >= due; });
      if (!result) return fail(Code::deadline_exceeded, fmt::format("inference did not come to it within {}", format_duration(limit)));
      if (result->is_error()) return fail(Code::upstream_failed, result->to_json().dump_safe());
      if (result->is_stop()) return result;
    }
  } catch (const std::exception& exception) {
    return fail(Code::upstream_failed, exception.what());
  }
}

server_task slot_task(server_task_type type, int slot, const os::MemoryFile& file) {
  server_task out(type);
  out.slot_action.id_slot = slot;
  out.slot_action.filepath = file.path();
  return out;
}

AdapterScales scales_of(const common_json& view) {
  AdapterScales out;
  if (!view.contains("params")) return out;
  for (const auto& entry : view.at("params").at("lora")) out[entry.at("id").get<int>()] = entry.at("scale").get<float>();
  return out;
}

// llama.cpp's file: magic, version, number of words, words that server_tokens packs itself into, then the state.
Result<std::vector<std::int32_t>> tokens_of(const os::MemoryFile& state) {
  PUNA_TRY(const auto mapped, os::MappedFile::open(state.path()));
  std::array<std::uint32_t, 3> head{};
  if (mapped.bytes().size() < sizeof(head)) return fail(Code::corrupt_data, "a slot's state is shorter than its head");
  std::memcpy(head.data(), mapped.bytes().data(), sizeof(head));
  const std::size_t size = std::size_t{head[2]} * sizeof(llama_token);
  if (mapped.bytes().size() - sizeof(head) < size) return fail(Code::corrupt_data, "a slot's state is shorter than its tokens");
  llama_tokens packed(head[2]);
  std::memcpy(packed.data(), mapped.bytes().data() + sizeof(head), size);
  try {
    return server_tokens::deserialize(packed, false).get_tokens();
  } catch (const std::exception&) {
    return std::vector<std::int32_t>();  // with images or sound: it is told not to expect any
  }
}

}  // namespace

Result<std::vector<SlotView>> Slots::list(Milliseconds limit) const {
  PUNA_TRY(const auto result, run(context_, server_task(SERVER_TASK_TYPE_SLOT_GET), limit));
  try {
    std::vector<SlotView> out;
    for (const auto& view : result->to_json())
      out.push_back({.id = view.at("id").get<int>(),
                     .busy = view.at("is_processing").get<bool>(),
                     .task = view.value("id_task", -1),
                     .tokens = view.value("n_prompt_tokens", 0),
                     .adapters = scales_of(view)});
    return out;
  } catch (const std::exception& exception) {
    return fail(Code::upstream_failed, exception.what());
  }
}

Result<SlotState> Slots::save(int slot, Milliseconds limit) const {
  PUNA_TRY(auto memory, os::MemoryFile::create());
  PUNA_CHECK(run(context_, slot_task(SERVER_TASK_TYPE_SLOT_SAVE, slot, memory), limit));
  PUNA_TRY(auto tokens, tokens_of(memory));
  return SlotState{std::move(memory), std::move(tokens)};
}

Result<> Slots::restore(int slot, const os::MemoryFile& state, Milliseconds limit) const {
  PUNA_CHECK(run(context_, slot_task(SERVER_TASK_TYPE_SLOT_RESTORE, slot, state), limit));
  return {};
}

Result<> Slots::adopt(int slot, const AdapterScales& adapters, Milliseconds limit) const {
  server_task task(SERVER_TASK_TYPE_COMPLETION);
  task.id_slot = slot;
  task.tokens = server_tokens(llama_tokens{0}, false);
  task.params.n_predict = 1;
  task.params.cache_prompt = false;
  task.params.lora = adapters;
  PUNA_CHECK(run(context_, std::move(task), limit));
  return {};
}

}  // namespace puna::worker
