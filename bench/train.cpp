// puna-train MODEL [ROWS]: trains a LoRA and says how fast it went, in how much memory, and how the loss fell: a line of JSON a step. ROWS
// is a file with {"tokens": [...], "weights": [...]} a line, so that others train the very same; without it, rows by chance.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "tune/adapter_file.h"
#include "tune/arithmetic/kernels.h"
#include "tune/arithmetic/random.h"
#include "tune/trainer.h"

namespace {

using namespace puna;
using namespace puna::tune;

struct Row {
  std::vector<std::int32_t> tokens;
  std::vector<double> weights;
};
BOOST_DESCRIBE_STRUCT(Row, (), (tokens, weights))

struct StepLine {
  std::int64_t step = 0;
  double loss = 0;
  std::int64_t tokens = 0;
  double trained = 0;
  double seconds = 0;
  double cpu_seconds = 0;
  double peak_mib = 0;
};
BOOST_DESCRIBE_STRUCT(StepLine, (), (step, loss, tokens, trained, seconds, cpu_seconds, peak_mib))

struct Request {
  std::filesystem::path model;
  std::filesystem::path file;
  std::filesystem::path first_adapter;  // where what is trained is written before the first step
  std::size_t rows = 2;                 // a step
  std::size_t length = 256;             // of rows by chance
  std::size_t trained = 256;            // of each of them, at its end
  std::size_t capacity = 0;             // tokens of a micro-batch; 0: a step is one
  std::size_t rank = 16;
  float rate = 1e-3F;
  float dropout = 0;
  std::size_t steps = 3;
  std::size_t threads = 2;
  bool keep = false;
  bool bf16 = false;
};

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

std::vector<TokenRow> rows_by_chance(const Request& request, std::size_t vocabulary) {
  std::vector<TokenRow> rows(request.rows * request.steps);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t i = 0; i < request.length; ++i) {
      rows[row].tokens.push_back(static_cast<std::int32_t>(mix(row * 7919 + i) % vocabulary));
      rows[row].weights.push_back(i + request.trained >= request.length ? 1.0F : 0.0F);
    }
  }
  return rows;
}

Result<std::vector<TokenRow>> read_rows(const std::filesystem::path& file, std::size_t vocabulary) {
  std::ifstream in(file);
  if (!in) return fail(Code::not_found, fmt::format("{} cannot be read", file.string()));
  std::vector<TokenRow> rows;
  for (std::string line; std::getline(in, line);) {
    PUNA_TRY(const auto row, json::decode_text<Row>(line));
    rows.push_back({row.tokens, {row.weights.begin(), row.weights.end()}});
    PUNA_CHECK(check_row(rows.back(), vocabulary));
  }
  return rows;
}

// The rows of one step, packed.
std::vector<MicroBatch> batches_of(std::span<const TokenRow> rows, std::size_t capacity) {
  std::vector<std::size_t> lengths;
  for (const auto& row : rows) lengths.push_back(row.tokens.size());
  std::vector<MicroBatch> out;
  for (const auto& bin : pack(lengths, capacity)) {
    std::vector<TokenRow> together;
    for (const auto index : bin) together.push_back(rows[index]);
    out.push_back(lay_out(together));
  }
  return out;
}

struct Sizes {
  std::size_t longest = 0;  // row
  std::size_t step = 0;     // the largest step's tokens
};
Sizes sizes_of(std::span<const TokenRow> rows, std::size_t rows_a_step) {
  Sizes out;
  for (std::size_t first = 0; first < rows.size(); first += rows_a_step) {
    std::size_t tokens = 0;
    for (const auto& row : rows.subspan(first, std::min(rows_a_step, rows.size() - first))) {
      tokens += row.tokens.size();
      out.longest = std::max(out.longest, row.tokens.size());
    }
    out.step = std::max(out.step, tokens);
  }
  return out;
}

Result<> train(Trainer& trainer, std::span<const TokenRow> rows, const Request& request, std::size_t capacity) {
  for (std::size_t step = 0; step < request.steps; ++step) {
    const auto batches = batches_of(rows.subspan(step * request.rows, request.rows), capacity);
    const auto began = std::chrono::steady_clock::now();
    const double cpu = cpu_seconds();
    PUNA_TRY(const auto report, trainer.step(batches));
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
    fmt::print("{}\n", json::to_text(json::encode(StepLine{.step = static_cast<std::int64_t>(report.step),
                                                           .loss = report.loss,
                                                           .tokens = static_cast<std::int64_t>(report.tokens),
                                                           .trained = report.trained_weight,
                                                           .seconds = wall.count(),
                                                           .cpu_seconds = cpu_seconds() - cpu,
                                                           .peak_mib = peak_mebibytes()})));
  }
  return {};
}

Result<> run(const Request& request) {
  Team team(request.threads);
  PUNA_TRY(const auto model, Model::open(std::span(&request.model, 1)));
  const std::size_t vocabulary = model.shape().vocabulary;
  PUNA_TRY(const auto rows,
           request.file.empty() ? Result<std::vector<TokenRow>>(rows_by_chance(request, vocabulary)) : read_rows(request.file, vocabulary));
  if (rows.size() < request.rows * request.steps)
    return fail(Code::invalid_argument,
                fmt::format("{} steps of {} rows want more than {} rows", request.steps, request.rows, rows.size()));
  const auto [longest, largest] = sizes_of(rows, request.rows);
  const std::size_t capacity = request.capacity == 0 ? largest : std::max(request.capacity, longest);
  const TrainerOptions options{.lora = {.rank = request.rank, .alpha = 32, .dropout = request.dropout},
                               .schedule = {.rate = request.rate, .decay = Decay::constant, .steps = request.steps},
                               .pass = {.most_tokens = capacity,
                                        .longest = longest,
                                        .recompute = request.keep ? Recompute::nothing : Recompute::each_layer,
                                        .precision = request.bf16 ? Precision::bf16 : Precision::f32}};
  PUNA_TRY(const auto planned, Trainer::memory(model, request.threads, options));
  PUNA_TRY(auto trainer, Trainer::create(model, team, options));
  if (!request.first_adapter.empty()) PUNA_CHECK(write_adapter(request.first_adapter, model, trainer.adapter()));
  fmt::print(stderr, "kernels {}, planned {}\n", kernels().name, format_bytes(planned));
  return train(trainer, rows, request, capacity);
}

}  // namespace

int main(int argc, char** argv) {
  Request request;
  CLI::App app("Trains a LoRA and measures it.");
  app.add_option("model", request.model, "GGUF file")->required();
  app.add_option("file", request.file, "rows of tokens, a JSON object a line");
  app.add_option("--first-adapter", request.first_adapter, "where to write the adapter as it is before the first step");
  app.add_option("--rows", request.rows, "rows in a step");
  app.add_option("--length", request.length, "tokens in a row by chance");
  app.add_option("--trained", request.trained, "tokens trained at the end of each row by chance");
  app.add_option("--capacity", request.capacity, "tokens in a micro-batch");
  app.add_option("--rate", request.rate, "learning rate");
  app.add_option("--rank", request.rank);
  app.add_option("--dropout", request.dropout);
  app.add_option("--steps", request.steps);
  app.add_option("--threads", request.threads);
  app.add_flag("--keep", request.keep, "keep what each layer computed instead of computing it again");
  app.add_flag("--bf16", request.bf16, "multiply in bfloat16");
  CLI11_PARSE(app, argc, argv);
  if (const auto done = run(request); !done) {
    fmt::print(stderr, "puna-train: {}\n", done.error().text());
    return 1;
  }
  return 0;
}
