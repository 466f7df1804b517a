#include "trainer/units.h"

#include <algorithm>

namespace puna::trainer {
namespace {

constexpr std::size_t kMostKeptTokens = 8'000'000;  // 8 bytes each

bool compares(wire::TuneMethod method) {
  return method == wire::TuneMethod::dpo || method == wire::TuneMethod::orpo;
}

std::size_t tokens_of(std::span<const tune::TokenRow> rows) {
  std::size_t out = 0;
  for (const auto& row : rows) out += row.tokens.size();
  return out;
}

}  // namespace

Units::Units(const dataset::Rows& rows, const RowRenderer& renderer, wire::TuneMethod method, std::size_t context)
    : rows_(rows), renderer_(renderer), documents_(method == wire::TuneMethod::pretrain) {
  for (std::uint32_t row = 0; row < rows.size(); ++row) {
    const std::size_t tokens = rows.tokens(row);
    if (!documents_) {
      const auto length = std::min(tokens, context) * (compares(method) ? 2 : 1);
      units_.push_back({.row = row, .length = static_cast<std::uint32_t>(length)});
      continue;
    }
    // Each piece begins with the last token of the one before it.
    std::uint32_t piece = 0;
    for (std::size_t first = 0; first + 1 < tokens; first += context - 1)
      units_.push_back({.row = row, .piece = piece++, .length = static_cast<std::uint32_t>(std::min(context, tokens - first))});
  }
}

std::vector<std::uint32_t> Units::lengths() const {
  std::vector<std::uint32_t> out;
  out.reserve(units_.size());
  for (const auto& unit : units_) out.push_back(unit.length);
  return out;
}

std::size_t Units::longest() const {
  std::size_t out = 0;
  for (const auto& unit : units_) out = std::max<std::size_t>(out, unit.length);
  return out;
}

Result<const std::vector<tune::TokenRow>*> Units::rendered(std::uint32_t row) {
  if (const auto found = kept_.find(row); found != kept_.end()) return &found->second;
  PUNA_TRY(const auto data, rows_.at(row));
  PUNA_TRY(auto made, renderer_.render(data));
  const auto tokens = tokens_of(made.rows);
  if (kept_tokens_ + tokens > kMostKeptTokens) {
    kept_.clear();
    kept_tokens_ = 0;
  }
  kept_tokens_ += tokens;
  return &kept_.insert_or_assign(row, std::move(made.rows)).first->second;
}

Result<std::vector<tune::TokenRow>> Units::at(std::uint32_t unit) {
  PUNA_TRY(const auto* rows, rendered(units_[unit].row));
  if (!documents_) return *rows;
  if (units_[unit].piece >= rows->size()) return fail(Code::internal, "a document has fewer pieces than were counted");
  return std::vector{(*rows)[units_[unit].piece]};
}

dataset::TokenCounter counter_of(const RowRenderer& conversations, const RowRenderer& documents) {
  return [conversation = conversations.counter(), document = documents.counter()](const dataset::Row& row) {
    return row.text ? document(row) : conversation(row);
  };
}

std::vector<tune::MicroBatch> micro_batches(std::vector<std::vector<tune::TokenRow>> units, wire::TuneMethod method, std::size_t capacity,
                                            Packing packing) {
  std::vector<std::vector<tune::TokenRow>> items;
  for (auto& unit : units) {
    if (compares(method)) {
      items.push_back(std::move(unit));
    } else {
      for (auto& row : unit) items.push_back({std::move(row)});
    }
  }
  std::vector<std::size_t> lengths;
  for (const auto& item : items) lengths.push_back(packing == Packing::alone ? capacity : tokens_of(item));
  std::vector<tune::MicroBatch> out;
  for (const auto& bin : tune::pack(lengths, capacity)) {
    std::vector<tune::TokenRow> rows;
    for (const auto item : bin)
      for (auto& row : items[item]) rows.push_back(std::move(row));
    out.push_back(tune::lay_out(rows));
  }
  return out;
}

}  // namespace puna::trainer
