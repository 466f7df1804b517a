#include "api/context_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "api/context.h"
#include "api/error_body.h"

namespace puna::api {
namespace {

using wire::Overflow;

constexpr std::int64_t kLongestSummary = 512;
constexpr std::string_view kSummaryRequest =
    "Sum up the following part of a conversation for the assistant that goes on with it. Keep names, numbers, decisions, open questions "
    "and what the user wants. Write the summary only.";
constexpr std::string_view kSummaryBegins = "Summary of the earlier part of this conversation:\n";

std::int64_t asked_length(const json::object& body) {
  for (const auto* name : {"max_completion_tokens", "max_tokens"})
    if (const auto* found = body.if_contains(name); found != nullptr && found->is_number()) return found->to_number<std::int64_t>();
  return 0;
}

json::object with_messages(const json::object& body, json::array messages) {
  json::object out = body;
  out["messages"] = std::move(messages);
  return out;
}

// The least k with fits(k), where fits(most) holds and fits is false before it is true.
template <class Fits>
net::Task<Result<std::size_t>> least_that_fits(std::size_t most, Fits fits) {
  std::size_t low = 0;
  std::size_t high = most;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    PUNA_CO_TRY(const bool fitting, co_await fits(middle));
    if (fitting)
      high = middle;
    else
      low = middle + 1;
  }
  co_return low;
}

// The conversation of one request while it is made to fit.
class Fitting {
 public:
  Fitting(json::object body, Overflow strategy, std::int64_t context, const ContextTools& tools)
      : body_(std::move(body)),
        messages_(body_.at("messages").get_array()),
        strategy_(strategy),
        context_(context),
        tools_(tools),
        groups_(droppable(messages_, strategy)) {}

  net::Task<Result<Fitted>> run() {
    PUNA_CO_TRY(const std::int64_t all, co_await tools_.count(body_));
    PUNA_CO_TRY(const std::int64_t least, co_await count_without(groups_.size()));
    if (least >= context_ || groups_.empty())
      co_return fail(context_exceeded(all, context_, groups_.empty() ? std::nullopt : std::optional(least)));
    const std::int64_t asked = asked_length(body_);
    const std::int64_t answer = std::min(asked > 0 ? asked : context_ / 4, context_ / 2);
    const std::int64_t summary = strategy_ == Overflow::summarise ? std::min(kLongestSummary, context_ / 8) : 0;
    const std::int64_t room = std::max(context_ - answer - summary, least);
    const auto fits = [&](std::size_t dropped) -> net::Task<Result<bool>> {
      PUNA_CO_TRY(const std::int64_t tokens, co_await count_without(dropped));
      co_return tokens <= room;
    };
    PUNA_CO_TRY(const std::size_t dropped, co_await least_that_fits(groups_.size(), fits));
    const auto gone = std::span(groups_).first(dropped);
    Fitted out{.body = with_messages(body_, without(messages_, gone)),
               .dropped = {.dropped_messages = static_cast<std::int64_t>(count_messages(gone)),
                           .strategy = std::string(wire::overflow_name(strategy_))}};
    if (strategy_ == Overflow::summarise && dropped > 0) {
      PUNA_CO_TRY(const auto text, co_await summarise(gone, summary));
      insert_summary(out.body.at("messages").get_array(), text);
    }
    PUNA_CO_TRY(const std::int64_t left, co_await tools_.count(out.body));
    if (left >= context_) co_return fail(context_exceeded(all, context_, left));
    out.dropped.dropped_tokens = all - left;
    co_return out;
  }

 private:
  net::Task<Result<std::int64_t>> count_without(std::size_t dropped) {
    co_return co_await tools_.count(with_messages(body_, without(messages_, std::span(groups_).first(dropped))));
  }

  [[nodiscard]] json::object summary_request(std::span<const MessageGroup> gone, std::int64_t length) const {
    return {{"model", body_.contains("model") ? body_.at("model") : json::value("")},
            {"messages", json::array{json::object{{"role", "user"},
                                                  {"content", fmt::format("{}\n\n{}", kSummaryRequest, transcript(messages_, gone))}}}},
            {"max_tokens", length},
            {"temperature", 0},
            {"chat_template_kwargs", json::object{{"enable_thinking", false}}}};
  }

  // Of more than fits into the context, the newest part is summed up.
  net::Task<Result<std::string>> summarise(std::span<const MessageGroup> gone, std::int64_t length) {
    const auto fits = [&](std::size_t skipped) -> net::Task<Result<bool>> {
      if (skipped == gone.size()) co_return true;
      PUNA_CO_TRY(const std::int64_t tokens, co_await tools_.count(summary_request(gone.subspan(skipped), length)));
      co_return tokens + length < context_;
    };
    PUNA_CO_TRY(const std::size_t skipped, co_await least_that_fits(gone.size(), fits));
    co_return co_await tools_.answer(summary_request(gone.subspan(skipped), length));
  }

  // Templates differ in what they do with a second system message: there is only one.
  static void insert_summary(json::array& messages, const std::string& text) {
    const std::string summary = fmt::format("{}{}", kSummaryBegins, text);
    auto* first = messages.empty() ? nullptr : messages.front().if_object();
    auto* role = first == nullptr ? nullptr : first->if_contains("role");
    auto* content = first == nullptr ? nullptr : first->if_contains("content");
    if (role != nullptr && *role == "system" && content != nullptr && content->is_string()) {
      *content = fmt::format("{}\n\n{}", std::string_view(content->get_string()), summary);
      return;
    }
    messages.insert(messages.begin(), json::object{{"role", "system"}, {"content", summary}});
  }

  json::object body_;
  const json::array& messages_;
  Overflow strategy_;
  std::int64_t context_;
  const ContextTools& tools_;
  std::vector<MessageGroup> groups_;
};

}  // namespace

net::Task<Result<Fitted>> fit_into_context(json::object body, Overflow strategy, std::int64_t context, const ContextTools& tools) {
  const auto* messages = body.if_contains("messages");
  if (messages == nullptr || !messages->is_array())
    co_return fail(Code::invalid_argument, "truncation: only a conversation of messages can be made shorter");
  Fitting fitting(std::move(body), strategy, context, tools);
  co_return co_await fitting.run();
}

}  // namespace puna::api
