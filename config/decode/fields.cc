#include "base/text.h"
#include "config/decode/decode.h"
#include "config/document/scalar.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <limits>

namespace weir::config {

Position Fields::PositionOf(std::string_view key) const {
  const Node* const value = node_.Find(key);
  return value == nullptr ? node_.position : value->position;
}

const Node* Fields::Scalar(std::string_view key) const {
  const Node* const value = node_.Find(key);
  const bool known = value != nullptr && value->is_scalar() && !value->unknown;
  return known ? value : nullptr;
}

const Node* Fields::Map(std::string_view key) const {
  const Node* const value = node_.Find(key);
  return value != nullptr && value->is_map() ? value : nullptr;
}

std::span<const Node> Fields::List(std::string_view key) const {
  const Node* const value = node_.Find(key);
  return value != nullptr && value->is_list() ? value->children : std::span<const Node>();
}

std::string Fields::Text(std::string_view key, std::string_view fallback) const {
  const Node* const value = Scalar(key);
  return std::string(value == nullptr ? fallback : value->text);
}

LocatedText Fields::Located(std::string_view key) const { return {Text(key), PositionOf(key)}; }

std::vector<LocatedText> Fields::LocatedList(std::string_view key) const {
  std::vector<LocatedText> out;
  const auto items = List(key);
  out.reserve(items.size());
  for (const Node& item : items) {
    if (item.is_scalar() && !item.unknown) out.push_back({std::string(item.text), item.position});
  }
  return out;
}

std::optional<std::int64_t> Fields::Integer(std::string_view key) const {
  const Node* const value = Scalar(key);
  return value == nullptr ? std::nullopt : ParseInteger(value->text);
}

std::optional<double> Fields::Number(std::string_view key) const {
  const Node* const value = Scalar(key);
  return value == nullptr ? std::nullopt : ParseNumber(value->text);
}

bool Fields::Boolean(std::string_view key, bool fallback) const {
  const Node* const value = Scalar(key);
  return value == nullptr ? fallback : ParseBoolean(value->text).value_or(fallback);
}

std::optional<std::chrono::milliseconds> Fields::Duration(std::string_view key) const {
  const Node* const value = Scalar(key);
  return value == nullptr ? std::nullopt : ParseDuration(value->text);
}

std::optional<std::uint32_t> Fields::Seconds(std::string_view key) const {
  const auto duration = Duration(key);
  if (!duration) return std::nullopt;
  return static_cast<std::uint32_t>(duration->count() / 1000);
}

std::optional<IpAddress> Fields::Address(std::string_view key) const {
  const Node* const value = Scalar(key);
  if (value == nullptr) return std::nullopt;
  const auto address = IpAddress::ParseZoned(value->text);
  return address ? std::optional(*address) : std::nullopt;
}

std::optional<std::uint16_t> Fields::Port(std::string_view key) const {
  const auto value = Integer(key);
  if (!value || *value < 0 || *value > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  return static_cast<std::uint16_t>(*value);
}

std::optional<std::size_t> Fields::Word(std::string_view key, std::span<const std::string_view> words) const {
  const Node* const value = Scalar(key);
  if (value == nullptr) return std::nullopt;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (EqualsIgnoreCase(words[i], value->text)) return i;
  }
  return std::nullopt;
}

void NameTable::Add(std::span<const Node> items, Findings& findings) {
  indexes_.reserve(indexes_.size() + items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Node* const name = items[i].Find("name");
    if (name == nullptr || !name->is_scalar() || name->text.empty()) {
      nameless_ = true;
      const bool reported = name == nullptr || !name->is_scalar() || name->expanded;
      if (!reported) findings.AddError(name->position, fmt::format("a {} with an empty name", kind_));
      continue;
    }
    const auto [at, fresh] = indexes_.emplace(name->text, static_cast<std::uint32_t>(i));
    if (fresh) {
      names_.push_back(name->text);
      continue;
    }
    findings.AddError(name->position, fmt::format("a second {} named {}", kind_, Quoted(name->text)),
                      fmt::format("the first is {}", LineText(items[at->second].Find("name")->position)));
  }
}

std::optional<std::uint32_t> NameTable::Resolve(const Node& reference, Findings& findings) {
  const auto found = indexes_.find(reference.text);
  if (found != indexes_.end()) {
    if (uses_ != nullptr) uses_->push_back({use_, found->second});
    return found->second;
  }
  if (reference.unknown || reference.is_empty_reference()) lost_reference_ = true;
  if (reference.unknown) return std::nullopt;
  if (reference.is_empty_reference()) {
    findings.AddError(reference.position, fmt::format("{} is empty", Quoted(reference.written())),
                      fmt::format("the name of a {}", kind_));
    return std::nullopt;
  }
  const std::string_view nearest = NearestWord(reference.text, names_);
  if (!nearest.empty()) suspects_.insert(nearest);
  if (incomplete_ || (nameless_ && nearest.empty())) return std::nullopt;
  std::string hint = NearestHint(reference.text, names_);
  if (names_.empty()) hint = fmt::format("the file has no {}", kind_);
  findings.AddError(reference.position, fmt::format("no {} is named {}", kind_, Quoted(reference.text)),
                    std::move(hint));
  return std::nullopt;
}

std::vector<std::string> NameTable::ByItem() const {
  std::vector<std::string> out;
  for (const auto& [name, index] : indexes_) {
    if (out.size() <= index) out.resize(index + 1);
    out[index] = name;
  }
  return out;
}

bool CheckNotEmpty(const Fields& fields, std::string_view key, Findings& findings) {
  const Node* const value = fields.node().Find(key);
  if (value == nullptr || !value->is_list() || !value->children.empty()) return true;
  findings.AddError(value->position, fmt::format("`{}` is empty", key), "at least one item");
  return false;
}

}  // namespace weir::config
