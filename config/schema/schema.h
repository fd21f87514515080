#pragma once

// The language as data: which keys each object has, of which type, in which range, with which default. Unknown keys,
// wrong types, ranges and words are found by walking these tables (shape.h), the JSON Schema and the reference of
// docs/configuration.md are printed from them. A new key is one row here and the line that decodes it.

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace weir::config {

enum class FieldType : std::uint8_t {
  kText,
  kInteger,        // minimum..maximum
  kIntegerOrWord,  // minimum..maximum or one of words
  kNumber,         // minimum..maximum, fractions allowed
  kBoolean,
  kDuration,  // minimum..maximum in milliseconds
  kSeconds,   // a duration of whole seconds; minimum..maximum in seconds
  kWord,      // one of words, in any case
  kAddress,   // IPv4 or IPv6, without port; link-local ones may have a zone
  kCidr,      // ADDRESS/BITS or an address
  kObject,
  kTextMap,  // any key, text values
  kPath,     // of a file: written plainly or as `{file: PATH}`
  kSecret,   // `${NAME}` or `{file: PATH}`; never printed
};

enum class Arity : std::uint8_t {
  kOne,
  kList,
  kListOrObject,  // a list of the type, or one `object`
};

enum class Support : std::uint8_t {
  kNow,
  kLater,               // refused by name: not supported in this version
  kLaterUnlessDefault,  // the default, which asks for nothing, is accepted; anything else is refused by name
};

struct Object;

struct Field {
  std::string_view key;
  FieldType type = FieldType::kText;
  Arity arity = Arity::kOne;
  Support support = Support::kNow;
  bool required = false;
  bool name = false;  // shown in tables, logs and metrics: holds no control character
  std::int64_t minimum = 0;
  std::int64_t maximum = std::numeric_limits<std::int32_t>::max();
  std::span<const std::string_view> words = {};
  std::span<const std::string_view> later_words = {};  // words or, of a number, words beside it: not supported yet
  const Object* object = nullptr;
  std::string_view fallback = {};  // the default as it would be written; empty: none
  std::string_view doc = {};
  // A key that AWS does not have among keys that it has: what does without it (`weir check --aws`).
  std::string_view addition = {};
};

struct Object {
  std::string_view name;  // of the definition in the JSON Schema and the heading in the reference
  std::string_view doc = {};
  std::span<const Field> fields = {};
  bool single = false;      // exactly one of the keys is given
  bool attributes = false;  // AWS attributes: numbers and booleans may be quoted, as AWS's own tools write them
};

// The shortest interval of a target health check.
inline constexpr std::int64_t kProbeIntervalMinMilliseconds = 100;

// The longest stickiness; spec: alb.md 5.1, 7.3.
inline constexpr std::int64_t kStickinessSecondsMax = 604'800;

// The whole file.
[[nodiscard]] const Object& RootObject();
// Those that several tables use.
extern const Object kLoadBalancerObject;
extern const Object kListenerObject;
extern const Object kRuleObject;
extern const Object kActionObject;
extern const Object kLoadBalancerAttributesObject;
extern const Object kListenerAttributesObject;
extern const Object kTargetGroupObject;
extern const Object kTargetGroupAttributesObject;
extern const Object kMutualAuthenticationObject;
extern const Object kTrustStoreObject;
extern const Object kHealthCheckObject;
extern const Object kCidrCollectionObject;
extern const Object kZoneObject;

// Words in the order of the enumerations they decode to.
extern const std::span<const std::string_view> kIpAddressTypeWords;
extern const std::span<const std::string_view> kLogFormatWords;
extern const std::span<const std::string_view> kListenerProtocolWords;
extern const std::span<const std::string_view> kSslPolicyWords;
extern const std::span<const std::string_view> kMutualAuthenticationWords;
extern const std::span<const std::string_view> kOnOffWords;
extern const std::span<const std::string_view> kUnauthenticatedWords;
extern const std::span<const std::string_view> kPkceWords;
extern const std::span<const std::string_view> kJwtClaimFormatWords;
extern const std::span<const std::string_view> kJwtAlgorithmWords;
extern const std::span<const std::string_view> kDesyncModeWords;
extern const std::span<const std::string_view> kXffModeWords;
extern const std::span<const std::string_view> kAlgorithmWords;
extern const std::span<const std::string_view> kHashSourceWords;
extern const std::span<const std::string_view> kStickinessTypeWords;
extern const std::span<const std::string_view> kCrossZoneWords;
extern const std::span<const std::string_view> kTargetProtocolWords;
extern const std::span<const std::string_view> kTargetTypeWords;
extern const std::span<const std::string_view> kFunctionRuntimeWords;
extern const std::span<const std::string_view> kProtocolVersionWords;
extern const std::span<const std::string_view> kProbeProtocolWords;
extern const std::span<const std::string_view> kProxyProtocolWords;
extern const std::span<const std::string_view> kHealthCheckTypeWords;
extern const std::span<const std::string_view> kFailoverWords;
extern const std::span<const std::string_view> kRedirectProtocolWords;
extern const std::span<const std::string_view> kRedirectStatusWords;

// The field of that name; null when there is none.
[[nodiscard]] const Field* FindField(const Object& object, std::string_view key);
// The reference of every key as Markdown tables: the generated part of docs/configuration.md.
[[nodiscard]] std::string MarkdownReference();

}  // namespace weir::config
