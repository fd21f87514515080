#include "proxy/actions/jwt/key_set.h"

#include "base/base64.h"
#include "proxy/actions/jwt/json_object.h"

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace weir::proxy {
namespace {

namespace json = boost::json;

std::string_view View(const json::string& text) { return {text.data(), text.size()}; }

bool IsText(const json::value& value, std::string_view text) {
  return value.is_string() && View(value.get_string()) == text;
}

std::optional<std::string> NumberMember(const json::object& key, std::string_view name) {
  const json::string* const text = TextMember(key, name);
  if (text == nullptr || text->empty()) return std::nullopt;
  return DecodeBase64Url(View(*text));
}

struct KindRow {
  std::string_view type;   // `kty`
  std::string_view curve;  // `crv`; of RSA none
  net::PublicKeyKind kind;
  std::array<std::string_view, 2> members;
};
constexpr std::array<KindRow, 5> kKinds = {{{"RSA", "", net::PublicKeyKind::kRsa, {"n", "e"}},
                                            {"EC", "P-256", net::PublicKeyKind::kP256, {"x", "y"}},
                                            {"EC", "P-384", net::PublicKeyKind::kP384, {"x", "y"}},
                                            {"EC", "P-521", net::PublicKeyKind::kP521, {"x", "y"}},
                                            {"OKP", "Ed25519", net::PublicKeyKind::kEd25519, {"x", ""}}}};

// RFC 7517 sections 4.2 and 4.3.
bool IsForVerifying(const json::object& key) {
  const json::value* const use = key.if_contains("use");
  if (use != nullptr && !IsText(*use, "sig")) return false;
  const json::value* const operations = key.if_contains("key_ops");
  if (operations == nullptr) return true;
  const json::array* const list = operations->if_array();
  return list != nullptr && std::ranges::any_of(*list, [](const json::value& item) { return IsText(item, "verify"); });
}

std::optional<net::PublicKeyNumbers> ReadNumbers(const json::object& key) {
  const json::string* const type = TextMember(key, "kty");
  if (type == nullptr) return std::nullopt;
  const json::string* const curve = TextMember(key, "crv");
  const auto row = std::ranges::find_if(kKinds, [&](const KindRow& kind) {
    return kind.type == View(*type) && (kind.curve.empty() || (curve != nullptr && kind.curve == View(*curve)));
  });
  if (row == kKinds.end()) return std::nullopt;
  net::PublicKeyNumbers numbers{.kind = row->kind, .first = {}, .second = {}};
  auto first = NumberMember(key, row->members[0]);
  if (!first) return std::nullopt;
  numbers.first = std::move(*first);
  if (row->members[1].empty()) return numbers;
  auto second = NumberMember(key, row->members[1]);
  if (!second) return std::nullopt;
  numbers.second = std::move(*second);
  return numbers;
}

std::optional<JsonWebKey> ReadKey(const json::object& key) {
  const json::string* const id = TextMember(key, "kid");
  if (id == nullptr || !IsForVerifying(key)) return std::nullopt;
  const json::value* const algorithm = key.if_contains("alg");
  if (algorithm != nullptr && !algorithm->is_string()) return std::nullopt;
  auto numbers = ReadNumbers(key);
  if (!numbers) return std::nullopt;
  return JsonWebKey{.id = std::string(View(*id)),
                    .algorithm = algorithm == nullptr ? std::string() : std::string(View(algorithm->get_string())),
                    .numbers = std::move(*numbers)};
}

}  // namespace

std::expected<KeySet, KeySetFault> ParseKeySet(std::string_view text) {
  const auto object = ParseJsonObject(text, {});
  const json::value* const list = object ? object->if_contains("keys") : nullptr;
  if (list == nullptr || !list->is_array()) return std::unexpected(KeySetFault::kMalformed);
  const json::array& items = list->get_array();
  if (!std::ranges::all_of(items, [](const json::value& item) { return item.is_object(); })) {
    return std::unexpected(KeySetFault::kMalformed);
  }
  if (items.size() > kKeySetKeysMax) return std::unexpected(KeySetFault::kTooManyKeys);
  KeySet keys;
  for (const json::value& item : items) {
    if (auto key = ReadKey(item.get_object())) keys.push_back(std::move(*key));
  }
  return keys;
}

void TokenKeys::Set(const KeySet& keys) {
  keys_.clear();
  for (const JsonWebKey& key : keys) {
    if (auto built = net::SignatureKey::Build(key.numbers)) keys_.push_back({key.id, key.algorithm, std::move(built)});
  }
}

TokenKeys::Found TokenKeys::Find(std::string_view id, net::SignatureAlgorithm algorithm) const {
  const std::string_view name = net::kSignatureAlgorithmNames[std::to_underlying(algorithm)];
  Found found;
  for (const Key& key : keys_) {
    if (key.id != id) continue;
    found.is_known = true;
    if (!net::Signs(key.key->kind(), algorithm) || (!key.algorithm.empty() && key.algorithm != name)) continue;
    found.key = key.key.get();
    break;
  }
  return found;
}

}  // namespace weir::proxy
