#include "worker/quantize/quantize.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "gguf/reader.h"
#include "inference/kernels.h"
#include "llama.h"
#include "os/descriptor.h"
#include "os/hardware.h"
#include "wire/quantize.h"
#include "worker/child.h"
#include "worker/engine_log.h"
#include "worker/quantize/importance.h"
#include "worker/quantize/quantize_log.h"

namespace puna::worker {
namespace {

constexpr int kLowPriority = 10;

void tell(const wire::QuantizeLine& line) {
  // Without a reader there is no daemon, and the parent's death ends this process.
  if (!os::write_all(STDOUT_FILENO, json::to_text(json::encode(line)) + "\n")) write_log_line("cannot write to the daemon");
}

void receive(ggml_log_level level, const char* text, void* log) {
  if (level == GGML_LOG_LEVEL_ERROR) {
    static_cast<QuantizeLog*>(log)->hear_error(text);
    write_log_line(text);
  } else {
    static_cast<QuantizeLog*>(log)->hear(text);
  }
}

// llama.cpp's form of an importance matrix: points into `matrix`, ends with a null entry.
std::vector<llama_model_imatrix_data> engine_importance(const ImportanceMatrix& matrix) {
  std::vector<llama_model_imatrix_data> out;
  for (const auto& [name, weights] : matrix.weights) out.push_back({name.c_str(), weights.data(), weights.size()});
  out.push_back({nullptr, nullptr, 0});
  return out;
}

llama_model_kv_override text_entry(std::string_view key, std::string_view text) {
  llama_model_kv_override out{};
  out.tag = LLAMA_KV_OVERRIDE_TYPE_STR;
  key.copy(out.key, sizeof(out.key) - 1);
  text.copy(out.val_str, sizeof(out.val_str) - 1);
  return out;
}

llama_model_kv_override number_entry(std::string_view key, std::int64_t number) {
  llama_model_kv_override out{};
  out.tag = LLAMA_KV_OVERRIDE_TYPE_INT;
  key.copy(out.key, sizeof(out.key) - 1);
  out.val_i64 = number;
  return out;
}

// What llama.cpp's own tool writes into the new file about the matrix, but for the path, which is nobody's business.
std::vector<llama_model_kv_override> traces_of(const ImportanceMatrix& matrix, const std::filesystem::path& file) {
  std::vector<llama_model_kv_override> out = {
      text_entry("quantize.imatrix.file", file.filename().string()),
      number_entry("quantize.imatrix.entries_count", static_cast<std::int64_t>(matrix.weights.size()))};
  if (matrix.chunks > 0) out.push_back(number_entry("quantize.imatrix.chunks_count", matrix.chunks));
  out.push_back({});
  return out;
}

Result<ImportanceMatrix> importance_for(const QuantizeArguments& arguments) {
  PUNA_TRY(auto matrix, read_importance(arguments.imatrix));
  PUNA_TRY(const auto header, gguf::Header::read_file(arguments.source));
  const auto known = [&](const gguf::TensorInfo& tensor) { return matrix.weights.contains(tensor.name); };
  if (std::ranges::none_of(header.tensors(), known))
    return fail(Code::invalid_argument,
                fmt::format("{} was made from another model: it knows none of this one's tensors", arguments.imatrix.string()));
  return matrix;
}

Result<> quantize(const QuantizeArguments& arguments) {
  static QuantizeLog log({.tensor = [](std::string_view name) { tell({.tensor = std::string(name)}); },
                          .type = [](std::string_view type) { tell({.type = std::string(type)}); },
                          .fallbacks = [](std::int64_t count) { tell({.fallbacks = count}); }});
  llama_log_set(receive, &log);
  PUNA_TRY(const auto kernels, inference::load_kernels());
  llama_backend_init();

  auto parameters = llama_model_quantize_default_params();
  parameters.ftype = static_cast<llama_ftype>(arguments.file_type);
  parameters.nthread = static_cast<std::int32_t>(arguments.threads > 0 ? arguments.threads : os::probe_hardware().usable_cores);
  parameters.allow_requantize = arguments.requantize;
  parameters.dry_run = arguments.plan_only;

  ImportanceMatrix matrix;
  std::vector<llama_model_imatrix_data> importance;
  std::vector<llama_model_kv_override> traces;
  if (!arguments.imatrix.empty()) {
    PUNA_TRY(matrix, importance_for(arguments));
    importance = engine_importance(matrix);
    traces = traces_of(matrix, arguments.imatrix);
    parameters.imatrix = importance.data();
    parameters.kv_overrides = traces.data();
  }
  if (llama_model_quantize(arguments.source.c_str(), arguments.output.c_str(), &parameters) != 0) return fail(log.failure());
  return {};
}

}  // namespace

int run_quantize(const QuantizeArguments& arguments) {
  behave_as_child(STDOUT_FILENO);
  if (::setpriority(PRIO_PROCESS, 0, kLowPriority) != 0) write_log_line("cannot lower the priority");
  const auto done = quantize(arguments);
  tell(done ? wire::QuantizeLine{.finished = true} : wire::QuantizeLine{.error = wire::to_wire(done.error()).error});
  return done ? 0 : 1;
}

}  // namespace puna::worker
