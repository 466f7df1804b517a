#include "batch/input.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "os/file.h"

namespace puna::batch {
namespace {

constexpr std::string_view kChat = "/v1/chat/completions";

std::string judge(std::initializer_list<std::string_view> lines) {
  InputCheck check{std::string(kChat)};
  std::int64_t number = 0;
  for (const auto line : lines) check.take({++number, std::string(line)});
  std::string out;
  for (const auto& error : check.errors()) out += fmt::format("{}:{} ", error.line.value_or(0), error.code);
  return out;
}
constexpr std::string_view kGood = R"({"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m"}})";

TEST(BatchInput, of_whole_lines_passes) {
  EXPECT_EQ(judge({kGood, R"({"custom_id":"b","method":"POST","url":"/v1/chat/completions","body":{"model":"m"}})"}), "");
}

// ledger: M4
TEST(BatchInput, tells_each_line_that_is_wrong_by_its_number) {
  EXPECT_EQ(judge({kGood, "nonsense", kGood, R"({"method":"POST"})", R"({"custom_id":"x","method":"GET"})",
                   R"({"custom_id":"y","method":"POST","url":"/v1/embeddings"})",
                   R"({"custom_id":"z","method":"POST","url":"/v1/chat/completions","body":{}})"}),
            "2:invalid_json_line 3:duplicate_custom_id 4:missing_required_parameter 5:invalid_method 6:invalid_url "
            "7:missing_required_parameter ");
  EXPECT_EQ(judge({}), "0:empty_file ");
}

TEST(BatchInput, is_read_line_by_line_with_its_numbers) {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("puna-input-{}", ::getpid());
  ASSERT_TRUE(os::write_file_atomic(path, "one\n\n  \ntwo\nthree"));
  InputReader reader(os::open_regular_file(path).value(), kib(1));
  std::filesystem::remove(path);
  std::string out;
  for (auto line = reader.next().value(); line; line = reader.next().value()) out += fmt::format("{}:{} ", line->number, line->text);
  EXPECT_EQ(out, "1:one 4:two 5:three ");
}

}  // namespace
}  // namespace puna::batch
