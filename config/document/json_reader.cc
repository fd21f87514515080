#include "config/document/json_reader.h"

#include "config/document/tree_builder.h"
#include "config/document/utf8.h"
#include "config/findings.h"

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

#include <cstddef>
#include <limits>
#include <string>

namespace weir::config {
namespace {

namespace json = boost::json;
using ErrorCode = boost::system::error_code;

// What Boost.JSON's parser calls, one event after the other. A function that returns false ends the reading.
class JsonEvents {
 public:
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();

  JsonEvents(std::uint32_t origin, std::uint32_t columns_before, Tree& tree, Findings& findings)
      : origin_(origin), builder_(tree, findings), column_(columns_before) {}

  [[nodiscard]] std::optional<Node> root() const { return builder_.root(); }
  // The reading ended because of what was found, not of the syntax.
  [[nodiscard]] bool refused() const { return refused_; }

  bool on_document_begin(ErrorCode& error) { return Go(builder_.OnDocument(Next()), error); }
  bool on_document_end(ErrorCode& /*error*/) { return true; }
  bool on_object_begin(ErrorCode& error) { return Go(builder_.OnStart(NodeKind::kMap, Next(), {}, {}), error); }
  bool on_object_end(std::size_t /*size*/, ErrorCode& /*error*/) { return End(); }
  bool on_array_begin(ErrorCode& error) { return Go(builder_.OnStart(NodeKind::kList, Next(), {}, {}), error); }
  bool on_array_end(std::size_t /*size*/, ErrorCode& /*error*/) { return End(); }
  bool on_key_part(std::string_view part, std::size_t /*size*/, ErrorCode& /*error*/) { return Part(part); }
  bool on_key(std::string_view part, std::size_t /*size*/, ErrorCode& /*error*/) { return Scalar(part, false); }
  bool on_string_part(std::string_view part, std::size_t /*size*/, ErrorCode& /*error*/) { return Part(part); }
  bool on_string(std::string_view part, std::size_t /*size*/, ErrorCode& /*error*/) { return Scalar(part, false); }
  bool on_number_part(std::string_view part, ErrorCode& /*error*/) { return Part(part); }
  bool on_int64(std::int64_t /*value*/, std::string_view part, ErrorCode& /*error*/) { return Scalar(part, true); }
  bool on_uint64(std::uint64_t /*value*/, std::string_view part, ErrorCode& /*error*/) { return Scalar(part, true); }
  bool on_double(double /*value*/, std::string_view part, ErrorCode& /*error*/) { return Scalar(part, true); }
  bool on_bool(bool value, ErrorCode& /*error*/) { return Scalar(value ? "true" : "false", true); }
  bool on_null(ErrorCode& /*error*/) { return Scalar("null", true); }
  bool on_comment_part(std::string_view /*part*/, ErrorCode& /*error*/) { return true; }
  bool on_comment(std::string_view /*part*/, ErrorCode& /*error*/) { return true; }

 private:
  Position Next() { return {origin_, 0, ++column_}; }
  bool Go(bool goes_on, ErrorCode& error) {
    refused_ = !goes_on;
    if (refused_) error = json::error::too_deep;
    return goes_on;
  }
  bool End() {
    builder_.OnEnd();
    return true;
  }
  bool Part(std::string_view part) {
    parts_.append(part);
    return true;
  }
  bool Scalar(std::string_view part, bool plain) {
    parts_.append(part);
    builder_.OnScalar({.position = Next(), .text = parts_, .plain = plain});
    parts_.clear();
    return true;
  }

  std::uint32_t origin_;
  TreeBuilder builder_;
  std::string parts_;  // of a text or a number that comes in pieces
  std::uint32_t column_;
  bool refused_ = false;
};

}  // namespace

std::optional<Node> ReadJson(std::string_view text, std::uint32_t origin, Tree& tree, Findings& findings,
                             std::uint32_t columns_before) {
  const Position whole{origin, 0, 0};
  if (const auto fault = FindTextFault(text)) {
    findings.AddError(whole, fmt::format("not JSON text: {} at byte {}", fault->problem, fault->offset + 1),
                      "the text has to be UTF-8");
    return std::nullopt;
  }
  json::parse_options options;
  options.max_depth = kNestingLevelsMax + 1;  // the builder reports what is deeper
  json::basic_parser<JsonEvents> parser(options, origin, columns_before, tree, findings);
  ErrorCode error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (parser.handler().refused()) return std::nullopt;
  if (error || read != text.size()) {
    findings.AddError(whole, fmt::format("not JSON: {} at byte {}",
                                         error ? error.message() : std::string("text behind the value"), read + 1));
    return std::nullopt;
  }
  return parser.handler().root();
}

}  // namespace weir::config
