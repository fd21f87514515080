#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::control {

// Writes the Prometheus text format 0.0.4. A family is opened once and its samples follow; a family without samples
// leaves nothing behind. Thread: the one that made it.
class MetricsWriter {
 public:
  // Writes only the families with these names; all of them when there are none.
  explicit MetricsWriter(std::vector<std::string> names = {}) : names_(std::move(names)) {}

  using Label = std::pair<std::string_view, std::string_view>;
  using Labels = std::initializer_list<Label>;

  // `type` is counter, gauge or histogram.
  void Family(std::string_view name, std::string_view type, std::string_view help);
  void Sample(Labels labels, std::uint64_t value);
  void Sample(Labels labels, double value);
  // The same with a suffix to the family's name and one label more: `_bucket`, {"le", "0.005"}.
  void SuffixSample(std::string_view suffix, Labels labels, Label extra, std::uint64_t value);
  void SuffixSample(std::string_view suffix, Labels labels, double value);
  void SuffixSample(std::string_view suffix, Labels labels, std::uint64_t value);

  [[nodiscard]] std::string Take() { return std::move(out_); }

 private:
  // Writes everything before the value; false when the family is not wanted.
  [[nodiscard]] bool Begin(std::string_view suffix, Labels labels, const Label* extra);

  std::vector<std::string> names_;
  bool wanted_ = true;  // the family that is open
  std::string out_;
  std::string name_;
  std::string heading_;  // HELP and TYPE, until the first sample
};

}  // namespace weir::control
