// Brings one file over HTTP into a PartFile, whatever happens on the way.
#pragma once

#include <expected>
#include <optional>
#include <random>
#include <string>

#include "base/error.h"
#include "hub/blocking_stream.h"
#include "hub/file_version.h"
#include "hub/part_file.h"
#include "hub/source.h"
#include "net/url.h"

namespace puna::hub {

// Goes on where the part ends, as long as the server still has the same file; tries again after failures that may pass, as the settings
// say, and forgets earlier failures whenever bytes came. What does not begin like a model never replaces what is there.
class HttpDownload {
 public:
  enum class Outcome {
    complete,   // the part is the whole file
    unchanged,  // the server still has the file of the part's receipt
  };
  // `url` with its credentials; everything must outlive the call of run().
  HttpDownload(const net::Url& url, const Fetch& fetch, PartFile& part);

  // Blocks. Errors: those of HttpClient, of the status, disk_full with figures, corrupt_data for what is no model. The part is kept.
  [[nodiscard]] Result<Outcome> run();

 private:
  enum class Step { complete, unchanged, ask_again };
  struct Failure {
    Error error;
    bool may_pass = false;
  };
  template <class T>
  using Attempt = std::expected<T, Failure>;

  [[nodiscard]] Attempt<Step> attempt();
  [[nodiscard]] Attempt<Step> act_on(const RangeQuestion& question, const RangeAnswer& answer, BlockingStream& stream);
  [[nodiscard]] Attempt<Step> receive(const RangeAnswer& answer, bool from_first_byte, BlockingStream& stream);
  [[nodiscard]] Result<> begin_anew(const RangeAnswer& answer, std::string_view beginning, std::string_view content_type);
  [[nodiscard]] RangeQuestion next_question() const;
  [[nodiscard]] net::HttpRequest request_for(const RangeQuestion& question) const;
  [[nodiscard]] Failure refusal(BlockingStream& stream) const;
  [[nodiscard]] Result<> require_room(const FileVersion& version) const;
  [[nodiscard]] Result<> append(std::string_view bytes, Bytes end);
  [[nodiscard]] Error with_figures(Error error) const;
  [[nodiscard]] bool is_receipts_file(const FileVersion& version) const;
  [[nodiscard]] bool may_use_receipt() const;
  [[nodiscard]] Result<> wait_before_next_try(const Error& error, int failures, int attempts, Milliseconds delay);
  void report_progress() const;

  const net::Url& url_;
  const std::string shown_;
  const Fetch& fetch_;
  PartFile& part_;
  bool from_first_byte_ = false;  // what is in the part is of no use to the server's file
  bool ranges_unusable_ = false;
  int begun_anew_ = 0;  // because the file had changed
  bool again_ = false;  // bytes that were here are fetched a second time
  Bytes farthest_;      // that the part ever reached
  std::minstd_rand dice_{std::random_device{}()};
};

}  // namespace puna::hub
