#include "tune/attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tune/arithmetic/gemm.h"
#include "tune/arithmetic/kernels.h"

namespace puna::tune {
namespace {

constexpr std::size_t kQueries = 64;  // rows of probabilities at a time

// Some queries of one head of one document, and the keys that they may see.
struct Stretch {
  std::size_t head;
  std::size_t first;   // token, in the micro-batch
  std::size_t begin;   // first query, in the document
  std::size_t rows;    // queries
  std::size_t key;     // first that any of them sees, in the document
  std::size_t keys;    // from there to the last query's own
  std::size_t window;  // 0: none

  // Of the keys, which ones query `row` sees.
  [[nodiscard]] std::size_t seen_from(std::size_t row) const {
    const std::size_t end = begin + row + 1;
    return window == 0 || end <= window ? 0 : end - window - std::min(key, end - window);
  }
  [[nodiscard]] std::size_t seen_to(std::size_t row) const { return begin + row + 1 - key; }
};

class Heads {
 public:
  explicit Heads(const AttentionCall& call)
      : call_(call),
        q_row_(call.shape.query_width()),
        k_row_(call.shape.key_width()),
        width_(call.shape.head_width),
        group_(call.shape.heads / call.shape.heads_kv),
        scale_(call.shape.attention_scale),
        cap_(call.shape.score_cap) {}

  [[nodiscard]] float scale() const { return scale_; }
  [[nodiscard]] float cap() const { return cap_; }
  [[nodiscard]] std::size_t width() const { return width_; }
  [[nodiscard]] std::size_t q_row() const { return q_row_; }
  [[nodiscard]] std::size_t k_row() const { return k_row_; }
  [[nodiscard]] std::size_t at_query(const Stretch& s) const { return (s.first + s.begin) * q_row_ + s.head * width_; }
  [[nodiscard]] std::size_t at_part(const Stretch& s) const { return (s.first + s.key) * q_row_ + s.head * width_; }
  [[nodiscard]] std::size_t at_key(const Stretch& s) const { return (s.first + s.key) * k_row_ + s.head / group_ * width_; }
  [[nodiscard]] std::size_t at_row(const Stretch& s, std::size_t row) const {
    return (s.first + s.begin + row) * call_.shape.heads + s.head;
  }

  // scores [rows, keys] = q k
  void scores(std::size_t thread, const Stretch& s, const AttentionInput& in, float* out) const {
    multiply_alone(call_.team, thread, {s.rows, s.keys, width_}, rows_of(in.q + at_query(s), q_row_),
                   rows_of(in.k + at_key(s), k_row_).transposed(), out, s.keys);
  }

 private:
  const AttentionCall& call_;
  std::size_t q_row_;
  std::size_t k_row_;
  std::size_t width_;
  std::size_t group_;
  float scale_;
  float cap_;
};

Stretch stretch_of(const AttentionCall& call, const MicroBatch::Document& document, std::size_t head, std::size_t begin) {
  const std::size_t rows = std::min(kQueries, document.count - begin);
  const std::size_t key = call.window == 0 || begin + 1 <= call.window ? 0 : begin + 1 - call.window;
  return {head, document.first, begin, rows, key, begin + rows - key, call.window};
}

// Zero for the keys that query `row` does not see.
void hide(const Stretch& s, std::size_t row, float* at) {
  std::fill(at, at + s.seen_from(row), 0.0F);
  std::fill(at + s.seen_to(row), at + s.keys, 0.0F);
}

void attend_stretch(const AttentionCall& call, const Heads& heads, std::size_t thread, const Stretch& s, const AttentionInput& in,
                    float* out, float* log_sums) {
  float* p = call.team.scratch(thread, Team::Use::work, s.rows * s.keys);
  heads.scores(thread, s, in, p);
  const bool capped = heads.cap() > 0;
  const float scale = capped ? 1 : heads.scale();  // the cap has scaled already
  for (std::size_t row = 0; row < s.rows; ++row) {
    float* at = p + row * s.keys + s.seen_from(row);
    const std::size_t seen = s.seen_to(row) - s.seen_from(row);
    if (capped) kernels().soft_cap(at, at, heads.scale(), heads.cap(), seen);
    const float most = kernels().largest(at, seen) * scale;
    const float sum = kernels().exponentials(at, at, scale, most, seen);
    kernels().scale(at, 1 / sum, seen);
    hide(s, row, p + row * s.keys);
    log_sums[heads.at_row(s, row)] = most + std::log(sum);
  }
  multiply_alone(call.team, thread, {s.rows, heads.width(), s.keys}, rows_of(p, s.keys), rows_of(in.v + heads.at_key(s), heads.k_row()),
                 out + heads.at_query(s), heads.q_row());
}

// Row by row, from scores p to probabilities, and from their gradient d to that of the scores before scale and cap.
void softmax_back_rows(const Heads& heads, const Stretch& s, const float* out, const float* log_sums, const float* d_out, float* p,
                       float* d, float* capped) {
  const float scale = capped != nullptr ? 1 : heads.scale();
  for (std::size_t row = 0; row < s.rows; ++row) {
    const std::size_t from = s.seen_from(row);
    const std::size_t seen = s.seen_to(row) - from;
    float* p_at = p + row * s.keys + from;
    float* d_at = d + row * s.keys + from;
    const std::size_t at_query = heads.at_query(s) + row * heads.q_row();
    if (capped != nullptr) kernels().soft_cap(capped, p_at, heads.scale(), heads.cap(), seen);
    kernels().exponentials(p_at, capped != nullptr ? capped : p_at, scale, log_sums[heads.at_row(s, row)], seen);
    const float mean = kernels().dot(d_out + at_query, out + at_query, heads.width());
    kernels().softmax_back(d_at, p_at, mean, scale, seen);
    if (capped != nullptr) kernels().soft_cap_back(d_at, capped, heads.scale(), heads.cap(), seen);
    hide(s, row, p + row * s.keys);
    hide(s, row, d + row * s.keys);
  }
}

// With P the probabilities, dP = dO V^T and dS = scale P (dP - rowsum(dO O)): dV += P^T dO, dK += dS^T Q, dQ = dS K.
void attend_stretch_back(const AttentionCall& call, const Heads& heads, std::size_t thread, const Stretch& s, const AttentionInput& in,
                         const float* out, const float* log_sums, const float* d_out, const AttentionGradients& to) {
  const bool caps = heads.cap() > 0;
  float* p = call.team.scratch(thread, Team::Use::work, 2 * s.rows * s.keys + (caps ? s.keys : 0));
  float* d = p + s.rows * s.keys;
  const Matrix d_rows = rows_of(d_out + heads.at_query(s), heads.q_row());
  heads.scores(thread, s, in, p);
  multiply_alone(call.team, thread, {s.rows, s.keys, heads.width()}, d_rows, rows_of(in.v + heads.at_key(s), heads.k_row()).transposed(), d,
                 s.keys);
  softmax_back_rows(heads, s, out, log_sums, d_out, p, d, caps ? d + s.rows * s.keys : nullptr);
  multiply_alone(call.team, thread, {s.keys, heads.width(), s.rows, 1, 1}, rows_of(p, s.keys).transposed(), d_rows,
                 to.d_v + heads.at_part(s), heads.q_row());
  multiply_alone(call.team, thread, {s.keys, heads.width(), s.rows, 1, 1}, rows_of(d, s.keys).transposed(),
                 rows_of(in.q + heads.at_query(s), heads.q_row()), to.d_k + heads.at_part(s), heads.q_row());
  multiply_alone(call.team, thread, {s.rows, heads.width(), s.keys}, rows_of(d, s.keys), rows_of(in.k + heads.at_key(s), heads.k_row()),
                 to.d_q + heads.at_query(s), heads.q_row());
}

}  // namespace

void attend(const AttentionCall& call, const AttentionInput& in, float* out, float* log_sums) {
  const Heads heads(call);
  std::vector<Stretch> stretches;
  for (const auto& document : call.documents)
    for (std::size_t begin = 0; begin < document.count; begin += kQueries)
      for (std::size_t head = 0; head < call.shape.heads; ++head) stretches.push_back(stretch_of(call, document, head, begin));
  call.team.for_each(stretches.size(), [&](std::size_t task, std::size_t thread) {
    attend_stretch(call, heads, thread, stretches[task], in, out, log_sums);
  });
}

void attend_back(const AttentionCall& call, const AttentionInput& in, const float* out, const float* log_sums, const float* d_out,
                 const AttentionGradients& gradients) {
  const Heads heads(call);
  // A document's keys collect from all its queries, so one head of one document is one task.
  call.team.for_each(call.documents.size() * call.shape.heads, [&](std::size_t task, std::size_t thread) {
    const auto& document = call.documents[task / call.shape.heads];
    const std::size_t head = task % call.shape.heads;
    const std::size_t at = heads.at_part(stretch_of(call, document, head, 0));
    for (std::size_t token = 0; token < document.count; ++token) {
      std::fill_n(gradients.d_k + at + token * heads.q_row(), heads.width(), 0.0F);
      std::fill_n(gradients.d_v + at + token * heads.q_row(), heads.width(), 0.0F);
    }
    for (std::size_t begin = 0; begin < document.count; begin += kQueries)
      attend_stretch_back(call, heads, thread, stretch_of(call, document, head, begin), in, out, log_sums, d_out, gradients);
  });
}

void sum_groups(const AttentionCall& call, std::size_t tokens, const float* parts, float* sums) {
  const std::size_t width = call.shape.head_width;
  const std::size_t group = call.shape.heads / call.shape.heads_kv;
  call.team.for_each(tokens, [&](std::size_t token, std::size_t) {
    for (std::size_t head = 0; head < call.shape.heads_kv; ++head) {
      float* to = sums + token * call.shape.key_width() + head * width;
      const float* from = parts + token * call.shape.query_width() + head * group * width;
      std::copy_n(from, width, to);
      for (std::size_t member = 1; member < group; ++member) kernels().add(to, from + member * width, width);
    }
  });
}

std::size_t attention_scratch_floats(const Shape& shape, std::size_t longest) {
  return (2 * kQueries + (shape.score_cap > 0 ? 1 : 0)) * longest;
}

}  // namespace puna::tune
