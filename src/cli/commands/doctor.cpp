#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/doctor/finding.h"
#include "cli/invocation.h"

namespace puna::cli {
namespace {

// Long enough for a figure that repeats within a few percent.
constexpr Milliseconds kMeasured{1'500};

constexpr std::array kOptions = {OptionSpec{.name = "quick", .help = "leave out what takes time: the speed of the memory"}};
constexpr std::array kExamples = {Example{"puna doctor", "look for what is wrong"},
                                  Example{"puna doctor --json | jq '.findings[] | select(.severity==\"problem\")'", "for a monitor"}};

struct Report {
  std::vector<Finding> findings;
};
BOOST_DESCRIBE_STRUCT(Report, (), (findings))

// Asks a daemon that runs; starts none.
void ask_daemon(Context& context, Patient& patient) {
  const auto runs = context.daemon_runs();
  if (!runs || !*runs) return;
  auto daemon = context.daemon(Start::never);
  auto status = daemon ? (*daemon)->status() : fail(daemon.error());
  if (!status) {
    patient.daemon_error = std::move(status).error();
    return;
  }
  patient.status = std::move(*status);
  if (auto library = (*daemon)->models()) patient.library = std::move(*library);
}

Machine look_at_machine(const Context& context, bool quick) {
  Machine out{.hardware = os::probe_hardware(), .speed = {}, .nvidia = os::probe_nvidia(), .compute = {}};
  if (const auto& compute = context.entry_points().compute) out.compute = compute();
  if (!quick) out.speed = os::measure_memory_speed(kMeasured, {});
  return out;
}

Tone tone_of(Severity severity) {
  switch (severity) {
    case Severity::good:
      return Tone::good;
    case Severity::note:
      return Tone::accent;
    case Severity::warning:
      return Tone::warning;
    case Severity::problem:
      return Tone::bad;
  }
  return Tone::plain;
}

void print(Stream& out, const Report& report) {
  std::string_view area;
  for (const auto& finding : report.findings) {
    if (finding.area != area) out.line(fmt::format("{}{}", area.empty() ? "" : "\n", out.paint(Tone::bold, finding.area)));
    area = finding.area;
    const std::string word = fmt::format("{:7}", finding.severity == Severity::good ? "ok" : json::enum_name(finding.severity));
    out.line(fmt::format("  {}  {}", out.paint(tone_of(finding.severity), word), printable(finding.text)));
    if (!finding.advice.empty()) out.line(fmt::format("           {} {}", out.paint(Tone::dim, "->"), printable(finding.advice)));
  }
}

Result<ExitCode> doctor(Context& context, const Invocation& invocation) {
  PUNA_TRY(const auto places, context.places());
  const SettingsStore settings({.file = places.config_file, .environment = context.environment(), .flags = {}});
  Patient patient{.environment = context.environment(),
                  .places = places,
                  .settings = settings,
                  .machine = look_at_machine(context, invocation.has("quick"))};
  if (const auto address = context.address(); address && !address->is_own()) patient.other_daemon = address->text();
  ask_daemon(context, patient);

  Report report;
  for (const auto& check : checks()) {
    for (auto& finding : check.look(patient)) {
      finding.area = check.area;
      report.findings.push_back(std::move(finding));
    }
  }
  const auto problems = std::ranges::count(report.findings, Severity::problem, &Finding::severity);
  if (invocation.has("json")) {
    context.print_json(report);
  } else {
    print(context.console().out, report);
    context.console().err.line(problems == 0 ? "\nno problems found"
                                             : fmt::format("\n{} problem{} found", problems, problems == 1 ? "" : "s"));
  }
  return problems == 0 ? ExitCode::ok : ExitCode::failure;
}

}  // namespace

constinit const CommandSpec kDoctor{
    .name = "doctor",
    .group = Group::daemon,
    .summary = "look for what is wrong on this machine",
    .description =
        "Looks at the machine (processor, memory and its speed, GPUs), says which models fit and how fast they can be, looks at the "
        "folders and their modes, the disk, the settings, the daemon and the library, and says what to do about what it finds. Changes "
        "nothing and starts nothing. Exit code 1 when there is a problem.",
    .options = kOptions,
    .examples = kExamples,
    .prints_data = true,
    .run = doctor,
};

}  // namespace puna::cli
