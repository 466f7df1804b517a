// One run of a pull.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hub/local_file.h"
#include "hub/pull.h"

namespace puna::hub {

// What the queue keeps of a request: no secrets.
struct StoredPull {
  std::string source;
  std::optional<std::string> name;
  std::optional<std::string> sha256;
  std::optional<std::string> filter;
  std::optional<std::string> revision;
  std::optional<bool> had_credentials;
  std::optional<bool> update;
};
BOOST_DESCRIBE_STRUCT(StoredPull, (), (source, name, sha256, filter, revision, had_credentials, update))

// On the job's thread.
class PullRun {
 public:
  PullRun(const PullParts& parts, Turns& turns, jobs::JobContext& context, StoredPull request)
      : parts_(parts), turns_(turns), context_(context), request_(std::move(request)) {}

  [[nodiscard]] Result<PullResult> run(Reference reference);

 private:
  // A file on its way: where it lies and what it is.
  struct Ready {
    PlannedFile planned;
    std::filesystem::path file;  // empty when the library has it
    std::string sha256;
    std::optional<LocalFile> local;
  };

  [[nodiscard]] bool is_held(const Reference& reference) const;
  [[nodiscard]] Result<Prepared> without_asking(const Reference& reference) const;
  [[nodiscard]] Result<Prepared> resolve(Reference reference);
  [[nodiscard]] Result<Prepared> prepare_patiently(const Reference& reference);
  [[nodiscard]] Result<std::vector<Ready>> bring(const Prepared& prepared, const Plan& plan);
  [[nodiscard]] Result<std::vector<Ready>> import(const Prepared& prepared, const Plan& plan);
  [[nodiscard]] Result<std::vector<Ready>> fetch(const Prepared& prepared, const Plan& plan);
  [[nodiscard]] transfer::Wanted wanted(const Prepared& prepared, const PlannedFile& planned) const;
  [[nodiscard]] Result<PullResult> take_in(const Prepared& prepared, const Plan& plan, std::vector<Ready> files);
  [[nodiscard]] Result<wire::Model> add(const Prepared& prepared, const Plan& done);
  [[nodiscard]] Result<> verify(const Prepared& prepared, const Ready& ready);
  [[nodiscard]] Result<> place(const Ready& ready);
  [[nodiscard]] Result<> remove_unless_intact(const std::filesystem::path& blob, const Ready& ready);
  [[nodiscard]] Result<PullResult> unchanged(const Prepared& prepared, const Plan& plan);
  [[nodiscard]] wire::Provenance provenance_of(const Prepared& prepared) const;
  void tidy(const std::vector<Ready>& files);
  void report(std::string_view phase, std::optional<Bytes> done = {}, std::optional<Bytes> total = {}, std::string note = {});
  void report(const transfer::Progress& progress);

  const PullParts& parts_;
  Turns& turns_;
  jobs::JobContext& context_;
  const StoredPull request_;
  Bytes brought_;                // as the engine last counted
  std::optional<Bytes> wanted_;  // the same
};

}  // namespace puna::hub
