#include "control/metrics_writer.h"

#include <fmt/format.h>

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
  heading_ = fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void MetricsWriter::Begin(std::string_view suffix, Labels labels, const Label* extra) {
  out_ += heading_;
  heading_.clear();
  out_ += name_;
  out_ += suffix;
  bool first = true;
  for (const auto& label : labels) AppendLabel(out_, first, label);
  if (extra != nullptr) AppendLabel(out_, first, *extra);
  if (!first) out_ += '}';
  out_ += ' ';
}

void MetricsWriter::Sample(Labels labels, std::uint64_t value) {
  Begin({}, labels, nullptr);
  fmt::format_to(std::back_inserter(out_), "{}\n", value);
}

void MetricsWriter::Sample(Labels labels, double value) {
  Begin({}, labels, nullptr);
  fmt::format_to(std::back_inserter(out_), "{}\n", value);
}

void MetricsWriter::SuffixSample(std::string_view suffix, Labels labels, Label extra, std::uint64_t value) {
  Begin(suffix, labels, &extra);
  fmt::format_to(std::back_inserter(out_), "{}\n", value);
}

void MetricsWriter::SuffixSample(std::string_view suffix, Labels labels, double value) {
  Begin(suffix, labels, nullptr);
  fmt::format_to(std::back_inserter(out_), "{}\n", value);
}

void MetricsWriter::SuffixSample(std::string_view suffix, Labels labels, std::uint64_t value) {
  Begin(suffix, labels, nullptr);
  fmt::format_to(std::back_inserter(out_), "{}\n", value);
}

}  // namespace weir::control
