#include "base/line_file.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/rotating_file_sink.h>

#include "base/secret.h"

namespace puna {

struct LineFile::Sink {
  spdlog::logger logger;
};

Result<LineFile> LineFile::open(const std::filesystem::path& file, Bytes file_size, std::size_t files) {
  try {
    auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file.string(), file_size.count, files);
    auto shared = std::make_shared<Sink>(Sink{spdlog::logger("lines", std::move(sink))});
    shared->logger.set_pattern("%v");
    shared->logger.flush_on(spdlog::level::info);
    return LineFile(std::move(shared));
  } catch (const spdlog::spdlog_ex& problem) {
    return fail(Code::permission_denied, fmt::format("cannot write {}: {}", file.string(), problem.what()));
  }
}

void LineFile::write(std::string_view line) {
  sink_->logger.info(spdlog::string_view_t(redact(line)));
}

}  // namespace puna
