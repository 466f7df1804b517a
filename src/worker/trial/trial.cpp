#include "worker/trial/trial.h"

#include <unistd.h>

#include <new>

#include "gguf/check.h"
#include "inference/kernels.h"
#include "llama.h"
#include "os/descriptor.h"
#include "wire/quantize.h"
#include "worker/child.h"
#include "worker/engine_log.h"
#include "worker/trial/trial_model.h"

namespace puna::worker {
namespace {

Result<> try_out(const std::filesystem::path& file) {
  PUNA_CHECK(gguf::check(file));
  static EngineLog log;
  log.install();
  try {
    PUNA_TRY(const auto kernels, inference::load_kernels());
    llama_backend_init();
    PUNA_TRY(const auto model, load_for_trial(file, TrialWeights::verified, log));
    return compute_once(model.get(), usual_task(model.get()), log);
  } catch (const std::bad_alloc&) {
    return fail(Code::out_of_memory, "memory does not suffice to load it");
  }
}

}  // namespace

int run_trial(const std::filesystem::path& file) {
  behave_as_child(STDOUT_FILENO);
  const auto outcome = try_out(file);
  const wire::QuantizeLine line =
      outcome ? wire::QuantizeLine{.finished = true} : wire::QuantizeLine{.error = wire::to_wire(outcome.error()).error};
  if (!os::write_all(STDOUT_FILENO, json::to_text(json::encode(line)) + "\n")) return 1;
  return outcome ? 0 : 1;
}

}  // namespace puna::worker
