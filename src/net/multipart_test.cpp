#include "net/multipart.h"

#include <gtest/gtest.h>

namespace puna::net {
namespace {

constexpr std::string_view kForm =
    "--xyz\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n"
    "--xyz\r\nContent-Type: text/plain\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".txt\"\r\n\r\n"
    "one\r\n--xy\r\ntwo\r\n--xyz\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--xyz--\r\n";

// "name(filename)=data;" for each part, fed in pieces of that size.
std::string reading_of(std::string_view form, std::size_t piece) {
  std::string out;
  MultipartParser parser("xyz");
  const MultipartParser::Sink sink = {.begin = [&](FormPart part) -> Result<> {
                                        out += part.name + (part.filename ? "(" + *part.filename + ")" : "") + "=";
                                        return {};
                                      },
                                      .data = [&](std::string_view data) -> Result<> {
                                        out += data;
                                        return {};
                                      }};
  for (std::size_t at = 0; at < form.size(); at += piece)
    if (const auto fed = parser.feed(form.substr(at, piece), sink); !fed) return fed.error().message;
  const auto finished = parser.finish();
  return finished ? out : finished.error().message;
}

TEST(Multipart, means_the_same_however_it_is_cut) {
  for (const std::size_t piece : {1UZ, 2UZ, 7UZ, 64UZ, 1000UZ})
    EXPECT_EQ(reading_of(kForm, piece), "purpose=batchfile(a \"b\".txt)=one\r\n--xy\r\ntwoempty=") << piece;
}

TEST(Multipart, passes_over_what_stands_before_and_after_the_form) {
  EXPECT_EQ(reading_of("hello\r\n--xyz \r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--xyz--bye", 3), "a=1");
}

TEST(Multipart, says_what_is_wrong) {
  EXPECT_EQ(reading_of(kForm.substr(0, 100), 9), "the form: it ends in the middle");
  EXPECT_EQ(reading_of("--xyzzy\r\n", 9), "the form: a boundary is followed by something else");
  EXPECT_EQ(reading_of("--xyz\r\nX: y\r\n\r\n", 99), "the form: a part has no Content-Disposition with a name");
  EXPECT_EQ(reading_of("--xyz\r\n" + std::string(9000, 'x'), 100), "the form: the header of a part is too long");
}

TEST(Multipart, takes_the_boundary_from_the_content_type) {
  EXPECT_EQ(MultipartParser::boundary_of("multipart/form-data; boundary=xyz").value(), "xyz");
  EXPECT_EQ(MultipartParser::boundary_of("Multipart/Form-Data; charset=utf-8; boundary=\"a b\"").value(), "a b");
  EXPECT_FALSE(MultipartParser::boundary_of("application/json"));
  EXPECT_FALSE(MultipartParser::boundary_of("multipart/form-data"));
}

}  // namespace
}  // namespace puna::net
