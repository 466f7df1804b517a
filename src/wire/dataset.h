// Training data: how its rows are read, what is in them, what is wrong with them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace puna::wire {

enum class DatasetFormat {
  json,   // an array of rows, an object with one such array, or objects one after another
  jsonl,  // one row a line
  csv,    // RFC 4180, with a header row
  tsv,    // the same with tabs
  text    // documents
};
BOOST_DESCRIBE_ENUM(DatasetFormat, json, jsonl, csv, tsv, text)

// What a row is made of. The fields of each, and the names they go by, stand in dataset/shape.cpp.
enum class DatasetShape {
  messages,           // messages: role and content, as OpenAI's API has them; tools
  sharegpt,           // conversations: from and value
  alpaca,             // instruction, input, output
  prompt_completion,  // prompt, completion
  text,               // text
  summary,            // document, summary
  squad,              // context, question, answers
  preference,         // prompt, chosen, rejected
  labelled            // prompt, completion, label
};
BOOST_DESCRIBE_ENUM(DatasetShape, messages, sharegpt, alpaca, prompt_completion, text, summary, squad, preference, labelled)

// Where the parts of a row stand. What is absent is found out from the rows; what is present is obeyed.
struct DatasetMapping {
  std::optional<DatasetShape> shape;
  std::optional<std::map<std::string, std::string>> fields;  // a field of the shape → the file's name for it
  std::optional<std::map<std::string, std::string>> roles;   // the file's name for a role → "system", "user", "assistant", "tool"
  std::optional<std::string> rows;                           // of a JSON object: the member that holds the rows
};
BOOST_DESCRIBE_STRUCT(DatasetMapping, (), (shape, fields, roles, rows))

// Which tokens count: all of a row, each turn of the assistant, or its last one. A message's own "train" or "weight" comes first.
enum class TrainOn { all, completion, last };
BOOST_DESCRIBE_ENUM(TrainOn, all, completion, last)

// A shape that would fit, too, or nearly.
struct DatasetAlternative {
  DatasetShape shape = DatasetShape::text;
  double share = 0;  // of the sampled rows, which have its required fields
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(DatasetAlternative, (), (shape, share, reason))

struct DatasetField {
  std::string name;
  std::int64_t rows = 0;  // of the sampled ones
};
BOOST_DESCRIBE_STRUCT(DatasetField, (), (name, rows))

struct DatasetDetection {
  DatasetMapping mapping;  // complete: giving it back changes nothing
  std::string reason;
  std::int64_t sampled = 0;  // rows that were looked at
  std::vector<DatasetAlternative> alternatives;
  std::vector<DatasetField> unused_fields;  // that no part of the shape takes
};
BOOST_DESCRIBE_STRUCT(DatasetDetection, (), (mapping, reason, sampled, alternatives, unused_fields))

enum class FindingSeverity {
  error,   // the row cannot be used
  warning  // it can
};
BOOST_DESCRIBE_ENUM(FindingSeverity, error, warning)

struct DatasetPlace {
  std::string file;
  std::int64_t line = 0;               // from 1; where the row begins, or where in it the trouble is
  std::optional<std::int64_t> column;  // from 1, in characters
  std::optional<std::string> field;    // "messages[2].content"
  std::string message;
};
BOOST_DESCRIBE_STRUCT(DatasetPlace, (), (file, line, column, field, message))

// One kind of trouble.
struct DatasetFinding {
  std::string kind;  // "missing-field"; stable
  FindingSeverity severity = FindingSeverity::error;
  std::string message;
  std::int64_t count = 0;              // every occurrence
  std::vector<DatasetPlace> examples;  // the first of them
};
BOOST_DESCRIBE_STRUCT(DatasetFinding, (), (kind, severity, message, count, examples))

struct DatasetBucket {
  std::int64_t from = 0;
  std::int64_t to = 0;  // inclusive
  std::int64_t rows = 0;
};
BOOST_DESCRIBE_STRUCT(DatasetBucket, (), (from, to, rows))

struct DatasetLengths {
  std::int64_t total = 0;
  double mean = 0;
  std::int64_t min = 0;
  std::int64_t median = 0;
  std::int64_t p95 = 0;
  std::int64_t max = 0;
  std::vector<DatasetBucket> histogram;
};
BOOST_DESCRIBE_STRUCT(DatasetLengths, (), (total, mean, min, median, p95, max, histogram))

struct DatasetStatistics {
  std::int64_t rows = 0;  // usable ones: those of both parts
  std::int64_t train_rows = 0;
  std::int64_t eval_rows = 0;
  std::int64_t unusable_rows = 0;
  std::int64_t duplicate_rows = 0;
  DatasetLengths characters;
  std::optional<DatasetLengths> tokens;  // when they were counted
  DatasetLengths messages;
};
BOOST_DESCRIBE_STRUCT(DatasetStatistics, (), (rows, train_rows, eval_rows, unusable_rows, duplicate_rows, characters, tokens, messages))

struct DatasetSource {
  std::string path;
  DatasetFormat format = DatasetFormat::jsonl;
  bool compressed = false;
  std::int64_t size = 0;  // bytes on disk
  std::string digest;     // "sha256:…" of those bytes
  bool evaluation = false;
  std::int64_t rows = 0;      // usable ones
  std::int64_t unusable = 0;  // rows that are not
  std::vector<std::string> notes;
};
BOOST_DESCRIBE_STRUCT(DatasetSource, (), (path, format, compressed, size, digest, evaluation, rows, unusable, notes))

struct DatasetReport {
  std::string task;    // canonical: "text-generation"
  std::string method;  // canonical: "sft"
  TrainOn train_on = TrainOn::completion;
  std::vector<DatasetSource> sources;
  DatasetDetection detection;
  DatasetStatistics statistics;
  std::string split;  // how rows for evaluation were chosen
  std::int64_t errors = 0;
  std::int64_t warnings = 0;
  std::vector<DatasetFinding> findings;  // errors first
};
BOOST_DESCRIBE_STRUCT(DatasetReport, (), (task, method, train_on, sources, detection, statistics, split, errors, warnings, findings))

enum class DatasetRole { system, user, assistant, tool };
BOOST_DESCRIBE_ENUM(DatasetRole, system, user, assistant, tool)

struct DatasetMessage {
  DatasetRole role = DatasetRole::user;
  std::string content;
  std::optional<std::string> reasoning;
  std::optional<std::string> name;
  std::optional<std::string> tool_call_id;
  std::optional<json::array> tool_calls;  // as OpenAI's API has them: arguments are JSON in a string
  double weight = 0;                      // of each of its tokens in the loss; 0: not trained
};
BOOST_DESCRIBE_STRUCT(DatasetMessage, (), (role, content, reasoning, name, tool_call_id, tool_calls, weight))

// One row, whatever shape it came in. Either `text`, or `messages`; and after messages that only ask, the answers to compare or judge.
struct DatasetRow {
  std::string file;
  std::int64_t line = 0;
  std::optional<std::string> text;
  std::vector<DatasetMessage> messages;                 // a conversation; a prompt, when there is `chosen` or `label`
  std::optional<std::vector<DatasetMessage>> chosen;    // the better answer; with `label`, the answer that it judges
  std::optional<std::vector<DatasetMessage>> rejected;  // the worse answer
  std::optional<bool> label;
  std::optional<json::array> tools;
  std::vector<std::string> references;  // every answer that is right, for judging one: of SQuAD, of a summary
  std::optional<std::string> context;   // that an extractive answer must be a part of
};
BOOST_DESCRIBE_STRUCT(DatasetRow, (), (file, line, text, messages, chosen, rejected, label, tools, references, context))

struct DatasetPreview {
  DatasetReport report;
  std::vector<DatasetRow> rows;
};
BOOST_DESCRIBE_STRUCT(DatasetPreview, (), (report, rows))

}  // namespace puna::wire
