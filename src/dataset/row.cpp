#include "dataset/row.h"

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <span>

namespace puna::dataset {
namespace {

class Hash {
 public:
  void add(std::string_view text) {
    const std::uint64_t size = text.size();  // so that "ab", "c" differs from "a", "bc"
    seed_ = XXH3_64bits_withSeed(&size, sizeof size, seed_);
    seed_ = XXH3_64bits_withSeed(text.data(), text.size(), seed_);
  }
  void add(std::span<const Message> messages) {
    for (const auto& message : messages) {
      add(json::enum_name(message.role));
      add(message.content);
      add(message.reasoning.value_or(""));
      add(message.tool_calls ? json::to_text(*message.tool_calls) : "");
    }
  }
  [[nodiscard]] std::uint64_t value() const { return seed_; }

 private:
  std::uint64_t seed_ = 0;
};

void visit_messages(std::string_view list, const std::vector<Message>& messages,
                    const std::function<void(const std::string&, std::string_view)>& visit) {
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto& [role, content, reasoning, name, id, calls, weight] = messages[i];
    visit(fmt::format("{}[{}].content", list, i), content);
    if (reasoning) visit(fmt::format("{}[{}].reasoning", list, i), *reasoning);
    if (calls) visit(fmt::format("{}[{}].tool_calls", list, i), json::to_text(*calls));
  }
}

}  // namespace

json::object openai_message(const Message& message) {
  json::object out{{"role", json::enum_name(message.role)}, {"content", message.content}};
  if (message.reasoning) out["reasoning_content"] = *message.reasoning;
  if (message.name) out["name"] = *message.name;
  if (message.tool_call_id) out["tool_call_id"] = *message.tool_call_id;
  if (message.tool_calls) {
    out["tool_calls"] = *message.tool_calls;
    if (message.content.empty()) out["content"] = nullptr;
  }
  return out;
}

json::array openai_messages(const std::vector<Message>& messages) {
  json::array out;
  for (const auto& message : messages) out.push_back(openai_message(message));
  return out;
}

void for_each_text(const Row& row, const std::function<void(const std::string&, std::string_view)>& visit) {
  if (row.text) visit("text", *row.text);
  visit_messages("messages", row.messages, visit);
  if (row.chosen) visit_messages(row.label ? "completion" : "chosen", *row.chosen, visit);
  if (row.rejected) visit_messages("rejected", *row.rejected, visit);
}

std::size_t characters_of(const Row& row) {
  std::size_t sum = 0;
  for_each_text(row, [&](const std::string&, std::string_view text) {
    sum += static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  });
  return sum;
}

std::size_t messages_of(const Row& row) {
  return row.messages.size() + (row.chosen ? row.chosen->size() : 0) + (row.rejected ? row.rejected->size() : 0);
}

std::uint64_t row_hash(const Row& row) {
  Hash hash;
  hash.add(row.text.value_or(""));
  hash.add(row.messages);
  if (row.chosen) hash.add("chosen"), hash.add(*row.chosen);
  if (row.rejected) hash.add("rejected"), hash.add(*row.rejected);
  if (row.label) hash.add(*row.label ? "good" : "bad");
  if (row.tools) hash.add(json::to_text(*row.tools));
  return hash.value();
}

std::uint64_t prompt_hash(const Row& row) {
  const std::span<const Message> all(row.messages);
  std::size_t count = all.size();
  if (!row.chosen) {
    while (count > 0 && all[count - 1].role != Role::assistant) --count;
    if (count > 0) --count;
  }
  if (count == 0) return row_hash(row);
  Hash hash;
  hash.add(all.first(count));
  return hash.value();
}

}  // namespace puna::dataset
