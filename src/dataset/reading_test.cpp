// Formats: what is a row, where it stands, what happens to what cannot be read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "dataset/dataset_testing.h"

namespace puna::dataset {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using wire::DatasetFormat;

std::vector<std::string> scripts(const std::vector<Row>& rows) {
  std::vector<std::string> out;
  for (const auto& row : rows) out.push_back(script(row));
  return out;
}

std::vector<std::int64_t> lines(const std::vector<Row>& rows) {
  std::vector<std::int64_t> out;
  for (const auto& row : rows) out.push_back(row.line);
  return out;
}

const std::vector<std::string> kTwo = {"user: a | assistant*: b", "user: c | assistant*: d"};

TEST(Jsonl, each_line_is_a_row_and_blank_lines_are_none) {
  const auto rows = DataFolder().rows("x.jsonl", "\n{\"prompt\":\"a\",\"completion\":\"b\"}\r\n\n{\"prompt\":\"c\",\"completion\":\"d\"}");
  EXPECT_EQ(scripts(rows), kTwo);
  EXPECT_THAT(lines(rows), ElementsAre(2, 4));
}

// ledger: F5
TEST(Jsonl, every_bad_line_is_reported_and_the_lines_behind_it_are_read) {
  const auto data = DataFolder().open("x.jsonl",
                                      "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\": oops}\n[1]\n{\"prompt\":\"é\" \xFF}\n"
                                      "{\"prompt\":\"c\",\"completion\":\"d\"}\n{\"prompt\":\"c\"");
  ASSERT_TRUE(data) << data.error().text();
  EXPECT_EQ(scripts(rows_of(data->rows())), kTwo);
  EXPECT_THAT(findings(*data), ElementsAre("syntax x.jsonl:2", "syntax x.jsonl:6", "encoding x.jsonl:4", "not-an-object x.jsonl:3"));
  EXPECT_EQ(data->report().findings[0].examples[0].column, 12);
  EXPECT_EQ(data->report().findings[1].examples[0].column, 15) << "in characters, not bytes";
  EXPECT_EQ(data->report().statistics.unusable_rows, 4);
}

TEST(Json, an_array_is_read_row_by_row_with_the_line_of_each) {
  const auto rows =
      DataFolder().rows("x.json", "[\n  {\"prompt\": \"a\",\n   \"completion\": \"b\"},\n  {\"prompt\":\"c\",\"completion\":\"d\"}\n]\n");
  EXPECT_EQ(scripts(rows), kTwo);
  EXPECT_THAT(lines(rows), ElementsAre(2, 4));
}

TEST(Json, quotes_and_brackets_within_text_end_no_row) {
  const auto rows = DataFolder().rows("x.json", R"([{"text":"a \" ]} b\\"},{"text":"c"}])");
  EXPECT_THAT(scripts(rows), ElementsAre("a \" ]} b\\", "c"));
}

TEST(Json, an_object_with_one_array_has_its_rows_there) {
  const auto rows = DataFolder().rows(
      "x.json",
      R"({"version": "[1]", "n": [1, 2], "about": {"a": [{}]}, "data": [{"prompt":"a","completion":"b"},{"prompt":"c","completion":"d"}]})");
  EXPECT_EQ(scripts(rows), kTwo);
}

TEST(Json, an_object_with_two_arrays_asks_which_one) {
  constexpr auto kText = R"({"train": [{"prompt":"a","completion":"b"}], "test": [{"prompt":"c","completion":"d"}]})";
  const auto refused = DataFolder().open("x.json", kText);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("train, test"));
  Options options;
  options.mapping.rows = "test";
  EXPECT_THAT(scripts(DataFolder().rows("x.json", kText, options)), ElementsAre(kTwo[1]));
}

TEST(Json, the_member_with_the_rows_is_reported_and_must_exist_when_given) {
  const auto data = DataFolder().open("x.json", R"({"data": [{"text":"a"}]})");
  ASSERT_TRUE(data) << data.error().text();
  EXPECT_EQ(data->report().detection.mapping.rows, "data");
  Options options;
  options.mapping.rows = "rows";
  EXPECT_THAT(DataFolder().open("x.json", R"({"data": [{"text":"a"}]})", options).error().message, HasSubstr("it has data"));
  EXPECT_THAT(DataFolder().open("x.jsonl", R"({"text":"a"})", options).error().message, HasSubstr("mapping.rows"));
}

TEST(Json, rows_one_behind_the_other_are_read_whatever_the_name_says) {
  const auto spread =
      DataFolder().open("x.jsonl", "{\n \"prompt\": \"a\",\n \"completion\": \"b\"\n}\n{\n \"prompt\":\"c\",\"completion\":\"d\"}");
  ASSERT_TRUE(spread) << spread.error().text();
  EXPECT_EQ(scripts(rows_of(spread->rows())), kTwo);
  EXPECT_THAT(spread->report().sources[0].notes, ElementsAre(HasSubstr("read as JSON")));
  const auto listed = DataFolder().open("x.json", "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"c\",\"completion\":\"d\"}\n");
  ASSERT_TRUE(listed) << listed.error().text();
  EXPECT_EQ(listed->report().sources[0].format, DatasetFormat::jsonl);
  EXPECT_EQ(scripts(rows_of(listed->rows())), kTwo);
}

TEST(Json, one_row_that_holds_a_list_of_messages_is_a_row) {
  const auto rows = DataFolder().rows("x.json", R"({"messages": [{"role":"user","content":"a"},{"role":"assistant","content":"b"}]})");
  EXPECT_THAT(scripts(rows), ElementsAre(kTwo[0]));
}

// ledger: F5
TEST(Json, troubles_between_rows_are_reported_and_the_rows_kept) {
  const auto data = DataFolder().open(
      "x.json", "[{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"c\",\"completion\":\"d\"},\n{\"prompt\" 1},\n]\ntail");
  ASSERT_TRUE(data) << data.error().text();
  EXPECT_EQ(scripts(rows_of(data->rows())), kTwo);
  EXPECT_THAT(findings(*data), ElementsAre("syntax x.json:2", "syntax x.json:3", "syntax x.json:4", "syntax x.json:5"));
}

TEST(Json, what_is_never_closed_is_said_with_the_line_where_it_begins) {
  const auto data = DataFolder().open("x.json", "[{\"prompt\":\"a\",\"completion\":\"b\"},\n{\"prompt\":\"c,\n{\"x\":1}]\n");
  ASSERT_TRUE(data) << data.error().text();
  EXPECT_EQ(data->rows().size(), 1u);
  EXPECT_THAT(findings(*data), ElementsAre("syntax x.json:2"));
  EXPECT_THAT(data->report().findings[0].examples[0].message, HasSubstr("not read"));
}

TEST(Csv, quotes_keep_commas_lines_and_quotes) {
  const auto rows = DataFolder().rows("x.csv", "prompt,completion,id\r\n\"a, \"\"b\"\"\nc\",\"\nd\",1\r\n5\" pipe,e,2\n\n");
  EXPECT_THAT(scripts(rows), ElementsAre("user: a, \"b\"\nc | assistant*: \nd", "user: 5\" pipe | assistant*: e"));
  EXPECT_THAT(lines(rows), ElementsAre(2, 5));
}

// ledger: F5
TEST(Csv, rows_that_do_not_fit_the_header_are_reported_with_their_line) {
  const auto data = DataFolder().open("x.csv", "prompt,completion\na,b\nonly\na,b,c\n\"a\"x,b\nc,d\n");
  ASSERT_TRUE(data) << data.error().text();
  EXPECT_EQ(scripts(rows_of(data->rows())), kTwo);
  EXPECT_THAT(findings(*data), ElementsAre("syntax x.csv:5", "column-count x.csv:3", "column-count x.csv:4"));
}

TEST(Csv, a_quote_that_is_never_closed_is_reported_where_it_was_opened) {
  const auto data = DataFolder().open("x.csv", "prompt,completion\na,b\nc,\"d\ne,f\n");
  ASSERT_TRUE(data) << data.error().text();
  EXPECT_THAT(findings(*data), ElementsAre("syntax x.csv:3"));
}

TEST(Csv, a_header_with_two_equal_names_is_refused) {
  EXPECT_THAT(DataFolder().open("x.csv", "a,b,a\n1,2,3\n").error().message, HasSubstr("two columns named 'a'"));
  EXPECT_THAT(DataFolder().open("x.csv", "a,,b\n1,2,3\n").error().message, HasSubstr("without a name"));
}

TEST(Csv, semicolons_separate_where_no_comma_does) {
  const auto data = DataFolder().open("x.csv", "prompt;completion\na, b;\"c;d\"\n");
  ASSERT_TRUE(data) << data.error().text();
  EXPECT_THAT(scripts(rows_of(data->rows())), ElementsAre("user: a, b | assistant*: c;d"));
  EXPECT_THAT(data->report().sources[0].notes, ElementsAre(HasSubstr("semicolons")));
}

TEST(Tsv, tabs_separate_and_commas_do_not) {
  EXPECT_THAT(scripts(DataFolder().rows("x.tsv", "prompt\tcompletion\na, b\tc\n")), ElementsAre("user: a, b | assistant*: c"));
}

TEST(Text, blank_lines_separate_documents) {
  const auto rows = DataFolder().rows("x.txt", "\n\nOne\r\nmore\r\n\r\n  \r\nTwo");
  EXPECT_THAT(scripts(rows), ElementsAre("One\r\nmore", "Two"));
  EXPECT_THAT(lines(rows), ElementsAre(3, 7));
}

TEST(Text, a_file_can_be_one_document) {
  Options options;
  options.documents = TextDocuments::whole_file;
  EXPECT_THAT(scripts(DataFolder().rows("x.txt", "One\n\nTwo\n", options)), ElementsAre("One\n\nTwo\n"));
}

TEST(Reading, a_byte_order_mark_is_no_part_of_the_first_row) {
  EXPECT_EQ(scripts(DataFolder().rows("x.csv", "\xEF\xBB\xBFprompt,completion\na,b\nc,d\n")), kTwo);
  EXPECT_EQ(scripts(DataFolder().rows("x.txt", "\xEF\xBB\xBFOne")), std::vector<std::string>{"One"});
}

TEST(Reading, gzip_is_unpacked_whatever_the_name_and_rows_stay_reachable_in_any_order) {
  const std::string text = "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"c\",\"completion\":\"d\"}\n";
  const auto data = DataFolder().open("x.jsonl.gz", gzip(text.substr(0, 40)) + gzip(text.substr(40)));
  ASSERT_TRUE(data) << data.error().text();
  EXPECT_TRUE(data->report().sources[0].compressed);
  EXPECT_EQ(script(data->rows().at(1).value()), kTwo[1]);
  EXPECT_EQ(script(data->rows().at(0).value()), kTwo[0]);
}

TEST(Reading, a_gzip_bomb_ends_at_the_limit) {
  Options options;
  options.unpack.most = mib(1);
  const auto refused = DataFolder().open("x.jsonl.gz", gzip(std::string(64 << 20, ' ')), options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::too_large);
}

TEST(Reading, damaged_and_cut_gzip_files_are_refused) {
  auto packed = gzip("{\"prompt\":\"a\",\"completion\":\"b\"}\n");
  EXPECT_THAT(DataFolder().open("x.jsonl", packed.substr(0, packed.size() - 4)).error().text(), HasSubstr("cut off"));
  packed[packed.size() - 6] ^= 1;
  EXPECT_EQ(DataFolder().open("x.jsonl", packed).error().code, Code::corrupt_data);
}

TEST(Reading, what_is_no_text_is_refused_by_its_name) {
  EXPECT_THAT(DataFolder().open("x.json", std::string("\xFF\xFE[\0", 4)).error().message, HasSubstr("UTF-16"));
  EXPECT_THAT(DataFolder().open("x.json", "PAR1....").error().message, HasSubstr("Parquet"));
  EXPECT_THAT(DataFolder().open("x.json", "").error().message, HasSubstr("holds no rows"));
  EXPECT_THAT(DataFolder().open("x.dat", "abc").error().message, HasSubstr("give the format"));
}

// ledger: F5
TEST(Reading, a_row_longer_than_the_limit_is_reported_and_the_next_one_read) {
  Options options;
  options.longest_row = Bytes(60);
  const std::string big(100, 'x');
  for (const std::string& name : {"x.jsonl", "x.json", "x.csv"}) {
    const bool table = name == "x.csv";
    const std::string text =
        table ? "prompt,completion\n" + big + ",b\nc,d\n" : "{\"prompt\":\"" + big + "\"}\n{\"prompt\":\"c\",\"completion\":\"d\"}\n";
    const auto data = DataFolder().open(name, name == "x.json" ? "[" + text + "]" : text, options);
    ASSERT_TRUE(data) << data.error().text();
    EXPECT_EQ(scripts(rows_of(data->rows())), std::vector{kTwo[1]}) << name;
    EXPECT_EQ(findings(*data).front(), name == "x.json" ? "syntax x.json:2" : "row-too-long " + name + (table ? ":2" : ":1"));
  }
}

TEST(Squad, the_nested_form_becomes_one_row_a_question_with_its_own_line) {
  const auto rows = DataFolder().rows("squad.json", R"({"version": "1.1", "data": [{"title": "T", "paragraphs": [
    {"context": "Llamas eat hay.", "qas": [
      {"id": "1", "question": "What?", "answers": [{"text": "hay", "answer_start": 11}]},
      {"id": "2", "question": "Who?", "answers": [{"text": "Llamas", "answer_start": 0}]}]}]},
  {"title": "U", "paragraphs": [{"qas": [{"id": "3", "question": "Where?", "answers": [], "is_impossible": true}],
    "context": "Nothing."}]}]})");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_THAT(lines(rows), ElementsAre(3, 4, 5));
  EXPECT_EQ(rows[1].references, std::vector<std::string>{"Llamas"});
  EXPECT_EQ(rows[1].context, "Llamas eat hay.");
  EXPECT_EQ(rows[2].messages.back().content, kUnanswerable);
}

TEST(Squad, a_long_nested_file_reaches_each_row) {
  std::string text = R"({"data": [)";
  for (int i = 0; i < 300; ++i)
    text += fmt::format(
        "{}{{\"paragraphs\": [{{\"context\": \"The number {}.\", \"qas\": [{{\"question\": \"Which?\", \"answers\": "
        "[{{\"text\": \"{}\", \"answer_start\": 11}}]}}]}}]}}",
        i ? ",\n" : "", i, i);
  const auto rows = DataFolder().rows("x.json", text + "]}");
  ASSERT_EQ(rows.size(), 300u);
  EXPECT_EQ(rows[299].messages.back().content, "299");
  EXPECT_EQ(rows[299].line, 300);
}

TEST(Reading, stops_when_it_is_told_to) {
  std::stop_source stop;
  stop.request_stop();
  Options options;
  options.stop = stop.get_token();
  EXPECT_EQ(DataFolder().open("x.txt", "One", options).error().code, Code::cancelled);
}

}  // namespace
}  // namespace puna::dataset
