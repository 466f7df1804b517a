#include "base/units.h"

#include <gtest/gtest.h>

namespace puna {
namespace {

using namespace std::chrono_literals;

TEST(Units, bytes_read_as_people_write_them) {
  EXPECT_EQ(parse_bytes("4096").value(), Bytes(4096));
  EXPECT_EQ(parse_bytes("1.5 GiB").value(), Bytes(1610612736));
  EXPECT_EQ(parse_bytes("64k").value(), kib(64));
  EXPECT_EQ(parse_bytes("250MB").value(), Bytes(250'000'000));
  for (const auto* bad : {"", "-1", "12 parsecs", "1e400", "0x10", "9999999 TiB"}) EXPECT_FALSE(parse_bytes(bad)) << bad;
}

TEST(Units, bytes_are_written_with_three_digits) {
  EXPECT_EQ(format_bytes(Bytes(0)), "0 B");
  EXPECT_EQ(format_bytes(Bytes(1023)), "1023 B");
  EXPECT_EQ(format_bytes(Bytes(98'362'432)), "93.8 MiB");
  EXPECT_EQ(format_bytes(gib(1)), "1.00 GiB");
}

TEST(Units, durations_read_as_ollama_writes_them) {
  EXPECT_EQ(parse_duration("5m").value(), 5min);
  EXPECT_EQ(parse_duration("1h30m").value(), 90min);
  EXPECT_EQ(parse_duration("300").value(), 300s);
  EXPECT_EQ(parse_duration("250ms").value(), 250ms);
  EXPECT_EQ(parse_duration("0").value(), 0ms);
  EXPECT_EQ(parse_duration("-1").value(), kForever);
  EXPECT_EQ(parse_duration("-1m").value(), kForever);
  for (const auto* bad : {"", "5 minutes", "m", "1h30", "--1", "abc", "1e20h"}) EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Units, durations_are_written_shortly) {
  EXPECT_EQ(format_duration(350ms), "350 ms");
  EXPECT_EQ(format_duration(4200ms), "4.2 s");
  EXPECT_EQ(format_duration(200s), "3m 20s");
  EXPECT_EQ(format_duration(7500s), "2h 5m");
}

}  // namespace
}  // namespace puna
