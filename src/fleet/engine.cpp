#include "fleet/engine.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "fleet/command_line.h"

namespace puna::fleet {
namespace {

class ArgumentVector {
 public:
  explicit ArgumentVector(std::vector<std::string> begin) : words_(std::move(begin)) {}

  void add(std::string_view option, const std::string& value) { words_.insert(words_.end(), {std::string(option), value}); }
  void add(std::string_view option, const std::filesystem::path& file) {
    if (!file.empty()) add(option, file.string());
  }
  template <class Number>
    requires std::is_arithmetic_v<Number>
  void add(std::string_view option, const std::optional<Number>& value) {
    if (value) add(option, fmt::format("{}", *value));
  }
  template <json::DescribedEnum Enum>
  void add(std::string_view option, const std::optional<Enum>& value) {
    if (value) add(option, std::string(json::enum_name(*value)));
  }
  [[nodiscard]] std::vector<std::string> take() { return std::move(words_); }

 private:
  std::vector<std::string> words_;
};

Result<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const auto environment = os::current_environment();
  const auto path = environment.find("PATH");
  for (const auto folder : split(path == environment.end() ? std::string_view("/usr/bin:/bin") : std::string_view(path->second), ':')) {
    const auto file = std::filesystem::path(folder) / name;
    if (file.is_absolute() && ::access(file.c_str(), X_OK) == 0) return file.string();
  }
  return fail(Code::not_found, fmt::format("there is no program {} in PATH", name));
}

}  // namespace

os::Environment worker_environment(const os::Environment& added) {
  const auto ours = os::current_environment();
  auto out = os::child_environment(ours);
  // The same program must find the same libraries and may use the same devices.
  for (const char* name : {"LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "GGML_VK_VISIBLE_DEVICES"})
    if (const auto found = ours.find(name); found != ours.end()) out.insert(*found);
  out["GGML_NO_BACKTRACE"] = "1";  // ggml would fork a debugger
  for (const auto& [name, value] : added) {
    if (!value.starts_with('$')) {
      out[name] = value;
    } else if (const auto found = ours.find(value.substr(1)); found != ours.end()) {
      out[name] = found->second;
    }
  }
  return out;
}

Result<ForeignCommand> foreign_command(const Launch& launch, const FleetOptions& options, const std::filesystem::path& socket) {
  ForeignCommand out;
  std::map<std::string, std::string> values = {
      {"model", launch.file.string()},
      {"context", std::to_string(launch.engine.context.value_or(options.context_length))},
      {"slots", std::to_string(launch.engine.slots.value_or(options.slots))},
      {"threads", std::to_string(launch.engine.threads.value_or(options.threads))},
  };
  out.endpoint.served_name = launch.served_name;
  if (names_place(launch.command, "socket")) {
    out.endpoint.socket = socket;
    values["socket"] = socket.string();
  } else {
    PUNA_TRY(const auto port, free_port());
    values["port"] = std::to_string(port);
    PUNA_TRY(out.endpoint.url, net::Url::parse(fmt::format("http://127.0.0.1:{}", port)));
  }
  out.argv = fill_command(launch.command, values);
  PUNA_TRY(out.argv.front(), find_program(out.argv.front()));
  return out;
}

std::vector<std::string> worker_command(const WorkerCommand& command) {
  const Launch& launch = command.launch;
  const EngineSettings& engine = launch.engine;
  ArgumentVector out({command.program.string(), "worker"});
  out.add("--model", launch.file);
  out.add("--socket", command.socket);
  out.add("--name", launch.name);
  out.add("--context", std::optional(engine.context.value_or(command.options.context_length)));
  out.add("--slots", std::optional(engine.slots.value_or(command.options.slots)));
  out.add("--threads", std::optional(engine.threads.value_or(command.options.threads)));
  out.add("--gpu-layers", std::optional(engine.gpu_layers.value_or(command.options.gpu_layers)));
  out.add("--mode", std::string(json::enum_name(command.purpose)));
  out.add("--status-fd", std::optional(command.status_fd));
  out.add("--projector", launch.projector);
  for (const auto& adapter : launch.adapters) {
    out.add("--adapter", adapter.file);
    if (adapter.scale != 1) out.add("--adapter-scale", std::optional(adapter.scale));
  }
  out.add("--chat-template-file", launch.chat_template);
  out.add("--batch", engine.batch);
  out.add("--micro-batch", engine.micro_batch);
  out.add("--cache-type-k", engine.cache_type_k);
  out.add("--cache-type-v", engine.cache_type_v);
  out.add("--flash-attention", engine.flash_attention);
  out.add("--draft", launch.draft);
  out.add("--ngram", engine.ngram);
  out.add("--ngram-size", engine.ngram_size);
  out.add("--draft-max", engine.draft_max);
  out.add("--draft-min", engine.draft_min);
  out.add("--draft-probability", engine.draft_probability);
  if (command.purpose == Purpose::generate && !command.warm.empty()) {
    out.add("--warm-folder", command.warm);
    out.add("--warm-disk", std::optional(command.options.warm_disk.count));
    out.add("--warm-least", std::optional(command.options.warm_least));
  }
  return out.take();
}

}  // namespace puna::fleet
