#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::control {

enum class MetricsFormat : std::uint8_t {
  kPrometheus,   // text format 0.0.4
  kOpenMetrics,  // 1.0.0: counters are headed by their name without `_total`, buckets have exemplars, the end is marked
};

// Writes metrics as text. A family is opened once and its samples follow; a family without samples leaves nothing
// behind. Thread: the one that made it.
class MetricsWriter {
 public:
  // Writes only the families with these names; all of them when there are none.
  explicit MetricsWriter(std::vector<std::string> names = {}, MetricsFormat format = MetricsFormat::kPrometheus)
      : names_(std::move(names)), format_(format) {}

  // What stands behind a sample: `{trace_id="1-2-3"} 0.25 1700000000.5`.
  struct SampleExemplar {
    std::string trace_id;
    double value = 0;
    double unix_seconds = 0;
  };

  using Label = std::pair<std::string_view, std::string_view>;
  using Labels = std::initializer_list<Label>;

  // Whether the format has exemplars, which need not be looked for otherwise.
  [[nodiscard]] bool takes_exemplars() const { return format_ == MetricsFormat::kOpenMetrics; }

  // `type` is counter, gauge or histogram.
  void Family(std::string_view name, std::string_view type, std::string_view help);
  void Sample(Labels labels, std::uint64_t value);
  void Sample(Labels labels, double value);
  // The same with a suffix to the family's name and one label more: `_bucket`, {"le", "0.005"}.
  // `exemplar`, which may be null, is written where the format has such.
  void SuffixSample(std::string_view suffix, Labels labels, Label extra, std::uint64_t value,
                    const SampleExemplar* exemplar = nullptr);
  void SuffixSample(std::string_view suffix, Labels labels, double value);
  void SuffixSample(std::string_view suffix, Labels labels, std::uint64_t value);

  [[nodiscard]] std::string Take();

 private:
  // Writes everything before the value; false when the family is not wanted.
  [[nodiscard]] bool Begin(std::string_view suffix, Labels labels, const Label* extra);

  std::vector<std::string> names_;
  MetricsFormat format_;
  bool wanted_ = true;  // the family that is open
  std::string out_;
  std::string name_;
  std::string heading_;  // HELP and TYPE, until the first sample
};

}  // namespace weir::control
