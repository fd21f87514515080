#include "control/metrics_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace weir::control {
namespace {

// Label values may hold anything; three characters are escaped.
void AppendEscaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '"') {
      out += "\\\"";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

void AppendLabel(std::string& out, bool& first, const MetricsWriter::Label& label) {
  out += first ? '{' : ',';
  first = false;
  out += label.first;
  out += "=\"";
  AppendEscaped(out, label.second);
  out += '"';
}

}  // namespace

void MetricsWriter::Family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  wanted_ = names_.empty() || std::ranges::find(names_, name) != names_.end();
  std::string_view headed = name;
  constexpr std::string_view kTotal = "_total";
  if (format_ == MetricsFormat::kOpenMetrics && type == "counter" && name.ends_with(kTotal)) {
    headed.remove_suffix(kTotal.size());
  }
  heading_ = fmt::format("# HELP {} {}\n# TYPE {} {}\n", headed, help, headed, type);
}

bool MetricsWriter::Begin(std::string_view suffix, Labels labels, const Label* extra) {
  if (!wanted_) return false;
  out_ += heading_;
  heading_.clear();
  out_ += name_;
  out_ += suffix;
  bool first = true;
  for (const auto& label : labels) AppendLabel(out_, first, label);
  if (extra != nullptr) AppendLabel(out_, first, *extra);
  if (!first) out_ += '}';
  out_ += ' ';
  return true;
}

void MetricsWriter::Sample(Labels labels, std::uint64_t value) {
  if (!Begin({}, labels, nullptr)) return;
  fmt::format_to(std::back_inserter(out_), "{}\n", value);
}

void MetricsWriter::Sample(Labels labels, double value) {
  if (!Begin({}, labels, nullptr)) return;
  fmt::format_to(std::back_inserter(out_), "{}\n", value);
}

void MetricsWriter::SuffixSample(std::string_view suffix, Labels labels, Label extra, std::uint64_t value,
                                 const SampleExemplar* exemplar) {
  if (!Begin(suffix, labels, &extra)) return;
  fmt::format_to(std::back_inserter(out_), "{}", value);
  if (exemplar != nullptr && takes_exemplars()) {
    out_ += " # {trace_id=\"";
    AppendEscaped(out_, exemplar->trace_id);
    fmt::format_to(std::back_inserter(out_), "\"}} {} {:.3f}", exemplar->value, exemplar->unix_seconds);
  }
  out_ += '\n';
}

std::string MetricsWriter::Take() {
  if (format_ == MetricsFormat::kOpenMetrics) out_ += "# EOF\n";
  return std::move(out_);
}

void MetricsWriter::SuffixSample(std::string_view suffix, Labels labels, double value) {
  if (!Begin(suffix, labels, nullptr)) return;
  fmt::format_to(std::back_inserter(out_), "{}\n", value);
}

void MetricsWriter::SuffixSample(std::string_view suffix, Labels labels, std::uint64_t value) {
  if (!Begin(suffix, labels, nullptr)) return;
  fmt::format_to(std::back_inserter(out_), "{}\n", value);
}

}  // namespace weir::control
