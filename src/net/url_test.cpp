#include "net/url.h"

#include <gtest/gtest.h>

namespace puna::net {
namespace {

Url parsed(std::string_view text) {
  auto url = Url::parse(text);
  EXPECT_TRUE(url) << text << ": " << (url ? "" : url.error().text());
  return url.value_or(Url());
}

std::string refusal(std::string_view text) {
  auto url = Url::parse(text);
  EXPECT_FALSE(url) << text << " was read as " << (url ? url->text() : "");
  return url ? "" : url.error().message;
}

// ledger: T1
TEST(Url, keeps_case_and_credentials_through_parsing_and_writing) {
  for (std::string_view text : {"https://User:PaSs%40W@Example.COM:8443/Models/Foo.GGUF?Token=AbC&x=%2f#Frag", "http://h/a//b/./c",
                                "http://[2001:DB8::1]:80/X", "https://u@h?", "http://h#", "file:///Tmp/Model.gguf"})
    EXPECT_EQ(parsed(text).text(), text);
}

// ledger: T1
TEST(Url, takes_bare_hosts_ports_and_ipv6_literals) {
  EXPECT_EQ(parsed("localhost").text(), "http://localhost");
  EXPECT_EQ(parsed("localhost:11434/api/Tags").text(), "http://localhost:11434/api/Tags");
  EXPECT_EQ(parsed(" 10.0.0.7:80 ").host, "10.0.0.7");
  EXPECT_EQ(parsed("[::1]:8080").host, "::1");
  EXPECT_EQ(parsed("//example.com/x").path, "/x");
  EXPECT_EQ(parsed("me:secret@example.com").credentials, "me:secret");
  EXPECT_EQ(Url::parse("example.com", "https")->text(), "https://example.com");
  EXPECT_EQ(parsed("HTTPS://Host/").scheme, "https");
}

// ledger: T1
TEST(Url, refuses_nonsense_with_the_reason) {
  EXPECT_EQ(refusal(""), "not a URL: it is empty");
  EXPECT_EQ(refusal("http://"), "not a URL: it names no host");
  EXPECT_EQ(refusal("http://:80/"), "not a URL: it names no host");
  EXPECT_EQ(refusal("http://h:port/"), "not a URL: 'port' is not a port; ports are 1 to 65535");
  EXPECT_EQ(refusal("http://h:0/"), "not a URL: '0' is not a port; ports are 1 to 65535");
  EXPECT_EQ(refusal("http://h:65536/"), "not a URL: '65536' is not a port; ports are 1 to 65535");
  EXPECT_EQ(refusal("http://h:/"), "not a URL: '' is not a port; ports are 1 to 65535");
  EXPECT_EQ(refusal("http://a b/"), "not a URL: 'a b' is not a host name");
  EXPECT_EQ(refusal("http://h/a b"), "not a URL: the path has a space; write %20");
  EXPECT_EQ(refusal("http://h/%zz"),
            "not a URL: the path has a '%' that two hexadecimal digits do not follow; a literal '%' is written %25");
  EXPECT_EQ(refusal("http://300.1.1.1/"), "not a URL: '300.1.1.1' is not an IPv4 address");
  EXPECT_EQ(refusal("http://[1::2::3]/"), "not a URL: '1::2::3' is not an IPv6 address");
  EXPECT_EQ(refusal("http://[::1/"), "not a URL: the '[' of an IPv6 address has no ']'");
  EXPECT_EQ(refusal("2001:db8::1"), "not a URL: write the IPv6 address in brackets: [2001:db8::1]");
  EXPECT_EQ(refusal("h\\p"), "not a URL: it has a '\\'; URLs use '/'");
  EXPECT_EQ(refusal("http://a..b/"), "not a URL: the host 'a..b' has an empty part");
  EXPECT_EQ(refusal("1http://h/"), "not a URL: '1http' is not a scheme");
  EXPECT_EQ(refusal(std::string("http://h/\r\nX: y")), "not a URL: the path has the character 0x0d");
}

TEST(Url, accepts_the_written_forms_of_ipv6) {
  for (std::string_view host : {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "::ffff:10.1.2.3", "fe80::1%25eth0", "2001:db8::a:b"})
    EXPECT_EQ(parsed("http://[" + std::string(host) + "]/").host, host);
  for (std::string_view host :
       {"1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", ":::", "1:2:3:4:5:6:7::8", "::10.1.2", "g::", "fe80::1%eth0"})
    EXPECT_FALSE(Url::parse("http://[" + std::string(host) + "]/")) << host;
}

TEST(Url, escapes_letters_beyond_ascii_but_never_in_the_host) {
  EXPECT_EQ(parsed("http://h/gr\xC3\xBC\xC3\x9F").path, "/gr%C3%BC%C3%9F");
  EXPECT_EQ(refusal("http://gr\xC3\xBC\xC3\x9F/"), "not a URL: the host name has letters beyond ASCII; write it in its \"xn--\" form");
}

TEST(Url, shows_no_secret_in_its_printable_form) {
  const auto url = parsed("https://me:secret@h:1/p?sig=secret#secret");
  EXPECT_EQ(url.printable(), "https://h:1/p");
  EXPECT_EQ(url.without_credentials().text(), "https://h:1/p?sig=secret#secret");
}

// The table of RFC 3986, section 5.4, for hierarchical references.
TEST(Url, resolves_references_as_the_rfc_says) {
  const auto base = parsed("http://a/b/c/d;p?q");
  const std::pair<std::string_view, std::string_view> table[] = {
      {"g", "http://a/b/c/g"},       {"./g", "http://a/b/c/g"},     {"g/", "http://a/b/c/g/"},    {"/g", "http://a/g"},
      {"//g", "http://g"},           {"?y", "http://a/b/c/d;p?y"},  {"g?y", "http://a/b/c/g?y"},  {"#s", "http://a/b/c/d;p?q#s"},
      {"g#s", "http://a/b/c/g#s"},   {";x", "http://a/b/c/;x"},     {"", "http://a/b/c/d;p?q"},   {".", "http://a/b/c/"},
      {"..", "http://a/b/"},         {"../g", "http://a/b/g"},      {"../..", "http://a/"},       {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},  {"/./g", "http://a/g"},        {"/../g", "http://a/g"},      {"g.", "http://a/b/c/g."},
      {"./../g", "http://a/b/g"},    {"g/./h", "http://a/b/c/g/h"}, {"g/../h", "http://a/b/c/h"}, {"g?y/../x", "http://a/b/c/g?y/../x"},
      {"https://x/y", "https://x/y"}};
  for (const auto& [reference, meant] : table) EXPECT_EQ(base.resolve(reference).value_or(Url()).text(), meant) << reference;
}

TEST(Url, knows_this_machine_and_its_origin) {
  for (std::string_view text : {"localhost", "LOCALHOST:1", "127.8.0.1", "[::1]", "api.localhost"})
    EXPECT_TRUE(parsed(text).is_loopback()) << text;
  for (std::string_view text : {"example.com", "128.0.0.1", "127.evil.com", "localhost.evil.com"})
    EXPECT_FALSE(parsed(text).is_loopback()) << text;
  EXPECT_TRUE(parsed("https://H/a").same_origin(parsed("https://h:443/b")));
  EXPECT_FALSE(parsed("https://h/").same_origin(parsed("http://h/")));
  EXPECT_FALSE(parsed("http://h:81/").same_origin(parsed("http://h/")));
}

TEST(PercentEncoding, turns_back_into_what_it_was) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(percent_decode(percent_encode(all)).value_or(""), all);
  EXPECT_EQ(percent_encode("a/b c", "/"), "a/b%20c");
  EXPECT_FALSE(percent_decode("%4"));
  EXPECT_FALSE(percent_decode("%G0"));
}

}  // namespace
}  // namespace puna::net
