#include "api/openai/responses/rendering.h"

#include "net/sse.h"

namespace puna::api::openai::responses {
namespace {

class ResponsesRendering final : public Rendering {
 public:
  ResponsesRendering(Answer answer, std::function<void(const json::object&)> keep) : answer_(std::move(answer)), keep_(std::move(keep)) {}

  void begin(const Begun& begun) override { answer_.begin(begun.model); }
  Result<net::Response> whole(const json::object& answer) override {
    answer_.take_whole(answer);
    // ignored: events are for streams
    [[maybe_unused]] const auto events = answer_.finish();
    const auto response = answer_.response();
    keep_(response);
    return net::json_response(200, response);
  }
  net::Headers stream_headers() const override {
    return {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}};
  }
  Result<std::string> chunk(const json::object& chunk) override { return answer_.take_chunk(chunk); }
  std::string finish() override {
    auto events = answer_.finish();
    keep_(answer_.response());
    return events;
  }
  std::string ping() override { return std::string(net::kSsePing); }
  std::string failure(const Error& error) override { return answer_.fail(error); }

 private:
  Answer answer_;
  std::function<void(const json::object&)> keep_;
};

}  // namespace

std::unique_ptr<Rendering> make_rendering(Answer answer, std::function<void(const json::object&)> keep) {
  return std::make_unique<ResponsesRendering>(std::move(answer), std::move(keep));
}

}  // namespace puna::api::openai::responses
