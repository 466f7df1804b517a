#include "cli/pulling.h"

#include "base/secret.h"
#include "base/text.h"
#include "cli/text.h"

namespace puna::cli {
namespace {

// The parts of a completed pull's result that are shown.
struct Pulled {
  std::string name;
  std::int64_t size = 0;
  std::string change;  // "added", "replaced", "unchanged"
  std::optional<std::vector<std::string>> changed;
};
BOOST_DESCRIBE_STRUCT(Pulled, (), (name, size, change, changed))

Result<Pulled> read_result(const wire::Job& job) {
  if (!job.result) return fail(Code::internal, fmt::format("job {} completed without a result", job.id));
  return json::decode<Pulled>(*job.result, json::Unknown::ignore);
}

std::string home_folder(const Context& context) {
  const auto home = context.environment().find("HOME");
  return home == context.environment().end() ? std::string() : home->second;
}

std::filesystem::path expand_home(std::string_view typed, const Context& context) {
  if (typed.starts_with("~/")) return std::filesystem::path(home_folder(context)) / typed.substr(2);
  return typed;
}

// What to type to go on.
std::string same_again(const PullOrder& order) {
  std::string out = fmt::format("puna pull {}", order.source);
  if (order.name) out += fmt::format(" --name {}", *order.name);
  if (order.sha256) out += fmt::format(" --sha256 {}", *order.sha256);
  if (order.filter) out += fmt::format(" --filter '{}'", *order.filter);
  if (order.revision) out += fmt::format(" --revision {}", *order.revision);
  return redact(out);
}

Error left_alone(const PullOrder& order, const wire::Job& job) {
  const auto id = job_tail(job.id);
  return {Code::cancelled, fmt::format("the download goes on without you; `{}` comes back to it, `puna job pause {}` halts it, "
                                       "`puna job cancel {}` gives it up",
                                       same_again(order), id, id)};
}

// One that needs somebody's help says which.
Error paused(const wire::Job& job) {
  const auto id = job_tail(job.id);
  if (job.failure) {
    auto error = failure_of(job);
    error.message += fmt::format("; then `puna job resume {}` goes on where it stopped", id);
    return error;
  }
  return {Code::cancelled, fmt::format("the job was paused; `puna job resume {}` goes on where it stopped", id)};
}

void tell_completed(Context& context, const PullOrder& order, const Pulled& pulled) {
  if (order.narration == Narration::quiet) return;
  auto& err = context.console().err;
  if (pulled.change == "unchanged")
    err.line(printable(fmt::format("'{}' is in the library already", pulled.name)));
  else if (pulled.change == "replaced" && pulled.changed && !pulled.changed->empty())
    err.line(printable(fmt::format("updated '{}' ({}): {}", pulled.name, size_text(pulled.size), join(*pulled.changed, ", "))));
  else
    err.line(printable(fmt::format("pulled '{}' ({})", pulled.name, size_text(pulled.size))));
}

Result<wire::Job> wait(Context& context, client::Client& daemon, Interrupt& interrupt, const wire::Job& job, const PullOrder& order) {
  ProgressLine line(context.console().err, order.narration);
  const auto show = [&](const wire::Job& update) { line.show(update.progress); };
  auto ended = daemon.wait_for_job(job.id, show, interrupt.token());
  if (ended || !interrupt.requested()) return ended;
  line.clear();
  return fail(left_alone(order, job));
}

}  // namespace

bool looks_like_file(std::string_view typed) {
  if (typed.contains("://")) return false;
  if (typed.starts_with('/') || typed.starts_with("./") || typed.starts_with("../") || typed.starts_with("~/")) return true;
  return lower_ascii(typed).ends_with(".gguf") && !typed.contains(':') && !typed.contains('@');
}

Result<std::string> resolve_source(std::string_view typed, const Context& context) {
  if (typed.contains("://")) return std::string(typed);
  const auto path = expand_home(typed, context);
  std::error_code error;
  const bool exists = looks_like_file(typed) ? std::filesystem::exists(path, error) : std::filesystem::is_regular_file(path, error);
  if (!exists && !looks_like_file(typed)) return std::string(typed);  // the daemon knows what else it may be
  if (!exists) return fail(Code::not_found, fmt::format("there is no file {}", printable(path.string())));
  PUNA_TRY(const auto where, context.address());
  if (!where.is_own())
    return fail(Code::unsupported, fmt::format("the daemon at {} cannot read files of this machine; give it a URL", where.text()));
  return std::filesystem::absolute(path, error).lexically_normal().string();
}

Result<wire::PullRequest> request_of(const PullOrder& order, const Context& context) {
  PUNA_TRY(auto source, resolve_source(order.source, context));
  return wire::PullRequest{
      .source = std::move(source), .name = order.name, .sha256 = order.sha256, .filter = order.filter, .revision = order.revision};
}

Result<wire::Job> submit_pull(Context& context, client::Client& daemon, const PullOrder& order) {
  PUNA_TRY(const auto request, request_of(order, context));
  PUNA_TRY(auto job, daemon.pull(request));
  if (job.state == wire::JobState::paused) return daemon.resume_job(job.id);
  return job;
}

Result<wire::Job> finish_pull(Context& context, client::Client& daemon, Interrupt& interrupt, const wire::Job& job,
                              const PullOrder& order) {
  PUNA_TRY(auto ended, wait(context, daemon, interrupt, job, order));
  switch (ended.state) {
    case wire::JobState::completed: {
      PUNA_TRY(const auto pulled, read_result(ended));
      tell_completed(context, order, pulled);
      return ended;
    }
    case wire::JobState::failed:
      return fail(failure_of(ended));
    case wire::JobState::cancelled:
      return fail(Code::cancelled, "the job was cancelled");
    case wire::JobState::paused:
      return fail(paused(ended));
    case wire::JobState::interrupted:
      return fail(Code::unavailable, fmt::format("the daemon stopped; `{}` goes on where it stopped", same_again(order)));
    case wire::JobState::queued:
    case wire::JobState::running:
      break;
  }
  return fail(Code::internal, fmt::format("job {} did not end", ended.id));
}

Result<std::string> pulled_name(const wire::Job& job) {
  PUNA_TRY(auto pulled, read_result(job));
  return std::move(pulled.name);
}

}  // namespace puna::cli
