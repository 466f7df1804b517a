#include "worker/trial/probe.h"

#include <linux/ioprio.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <exception>
#include <new>
#include <string>

#include "base/units.h"
#include "gguf/check.h"
#include "gguf/summary.h"
#include "inference/kernels.h"
#include "llama.h"
#include "os/descriptor.h"
#include "os/file.h"
#include "wire/probe.h"
#include "worker/child.h"
#include "worker/engine_log.h"
#include "worker/trial/template_suite.h"
#include "worker/trial/trial_model.h"

namespace puna::worker {
namespace {

using wire::ProbeOutcome;

constexpr Bytes kLargestTemplate = mib(4);

void tell(const wire::ProbeLine& line) {
  if (!os::write_all(STDOUT_FILENO, json::to_text(json::encode(line)) + "\n")) write_log_line("nobody hears what was found");
}

// Whatever else wants the processor or the disk goes first.
void give_way() {
  const sched_param none{};
  if (::sched_setscheduler(0, SCHED_IDLE, &none) != 0) write_log_line("cannot take the lowest priority");
  if (::syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0)) != 0)
    write_log_line("cannot take the lowest priority for the disk");
}

wire::ProbeFinding finding_of(const Result<>& outcome) {
  if (outcome) return {ProbeOutcome::passed, std::nullopt};
  if (outcome.error().code == Code::out_of_memory) return {ProbeOutcome::untried, outcome.error().message};
  return {ProbeOutcome::failed, outcome.error().message};
}

class Probe {
 public:
  explicit Probe(const ProbeArguments& arguments) : arguments_(arguments) {}

  [[nodiscard]] const wire::ModelProbe& findings() const { return findings_; }

  Result<> run() {
    static EngineLog log;
    log.install();
    try {
      PUNA_TRY(const auto kernels, inference::load_kernels());
      llama_backend_init();
      PUNA_CHECK(templates(log));
      if (arguments_.load) weights(log);
      return {};
    } catch (const std::bad_alloc&) {
      return fail(Code::out_of_memory, "memory does not suffice to load it");
    } catch (const std::exception& exception) {
      return fail(Code::corrupt_data, exception.what());
    }
  }

 private:
  void begins(std::string_view member) { tell({.findings = findings_, .begins = std::string(member)}); }

  Result<> templates(const EngineLog& log) {
    begins("loads");
    const auto checked = gguf::check(arguments_.file);
    auto model = checked ? load_for_trial(arguments_.file, TrialWeights::none, log) : fail(checked.error());
    if (!model) {
      findings_.loads = finding_of(fail(model.error()));
      arguments_.load = false;
      return {};
    }
    std::string chat_template;
    if (!arguments_.chat_template.empty()) {
      PUNA_TRY(chat_template, os::read_file(arguments_.chat_template, kLargestTemplate));
    }
    try_templates(model->get(), chat_template, findings_, [&](std::string_view member) { begins(member); });
    return {};
  }

  void weights(const EngineLog& log) {
    begins("loads");
    const auto model = load_for_trial(arguments_.file, TrialWeights::mapped, log);
    findings_.loads = finding_of(model ? Result<>() : fail(model.error()));
    if (!model) return;
    begins("writes");
    if (is_for_vectors(model->get()))
      findings_.writes = {ProbeOutcome::absent, "it is made for vectors or scores"};
    else
      findings_.writes = finding_of(compute_once(model->get(), TrialTask::write, log));
    begins("embeds");
    findings_.embeds = finding_of(compute_once(model->get(), TrialTask::embed, log));
  }

  [[nodiscard]] bool is_for_vectors(const llama_model* model) const {
    const auto header = gguf::Header::read_file(arguments_.file);
    const auto can = header ? gguf::summarize(*header).capabilities : gguf::Capabilities();
    return can.embedding || can.rerank || usual_task(model) == TrialTask::embed;
  }

  ProbeArguments arguments_;
  wire::ModelProbe findings_;
};

}  // namespace

int run_probe(const ProbeArguments& arguments) {
  behave_as_child(STDOUT_FILENO);
  give_way();
  Probe probe(arguments);
  const auto outcome = probe.run();
  if (outcome)
    tell({.findings = probe.findings(), .finished = true});
  else
    tell({.findings = probe.findings(), .error = wire::to_wire(outcome.error()).error});
  return outcome ? 0 : 1;
}

}  // namespace puna::worker
