// Lists of messages, in every spelling that data sets have.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dataset/finding.h"
#include "dataset/row.h"

namespace puna::dataset {

struct TurnNames {
  std::string role = "role";                 // of each message; "role" and "from" are tried, too
  std::string content = "content";           // "content" and "value" are tried, too
  std::map<std::string, std::string> roles;  // beside the usual names of roles
};

struct Turns {
  std::vector<Message> messages;
  std::vector<std::optional<double>> weights;  // what each message itself says about being trained
};

// `value` is a list of messages, one message, or JSON text of either. Everything wrong is a problem with its path below `field`.
[[nodiscard]] Turns read_turns(const json::value& value, const std::string& field, const TurnNames& names, Problems& problems);
// Tools as OpenAI's API has them, or JSON text of them.
[[nodiscard]] std::optional<json::array> read_tools(const json::value& value, const std::string& field, Problems& problems);

// Orders that no conversation has, and those that some templates refuse.
void check_order(const std::vector<Message>& messages, const std::string& field, Problems& problems);
// The weight of each message's tokens.
void mark_trained(Turns& turns, wire::TrainOn train_on);

// A cell of a table may hold JSON: that, or the value itself.
[[nodiscard]] json::value json_within(const json::value& value);

}  // namespace puna::dataset
