#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace weir::net {

enum class TlsVersion : std::uint8_t { k10, k11, k12, k13 };
// As logs and header fields spell it: `TLSv1`, `TLSv1.1`, `TLSv1.2`, `TLSv1.3`.
[[nodiscard]] std::string_view ToString(TlsVersion version);

// A cipher suite by its number in IANA's registry and by the name that AWS and OpenSSL have for it.
struct TlsSuite {
  std::uint16_t id = 0;
  std::string_view name;
  [[nodiscard]] constexpr bool is_tls13() const { return (id >> 8U) == 0x13; }
};

// Every suite that some policy has.
inline constexpr std::size_t kTlsSuiteCount = 21;
// The suite at `index` of them, in an order of its own.
[[nodiscard]] const TlsSuite& TlsSuiteAt(std::size_t index);

// What the name of a policy promises besides versions and suites; decides about the policy towards targets.
enum class TlsPolicyKind : std::uint8_t { kOld, kWithTls13, kPostQuantum, kFips, kFipsPostQuantum, kRfc9151 };

// One of AWS's security policies, which cannot be changed and are known by name. spec: alb.md 18.2. A value. Thread:
// any.
struct TlsPolicy {
  std::string_view name;  // ELBSecurityPolicy-…
  TlsVersion version_min = TlsVersion::k12;
  TlsVersion version_max = TlsVersion::k12;
  TlsPolicyKind kind = TlsPolicyKind::kOld;
  std::array<std::uint8_t, kTlsSuiteCount> suite_indexes{};  // for TlsSuiteAt
  std::uint8_t suite_count = 0;
  // Key exchange groups by IANA's names, the preferred one first. AWS publishes only the post-quantum ones.
  std::span<const std::string_view> groups;

  // The suite at place `index` of the server's preference, below suite_count.
  [[nodiscard]] const TlsSuite& suite(std::size_t index) const;
};

// Every policy, in the order of AWS's tables.
[[nodiscard]] std::span<const TlsPolicy> TlsPolicies();
// Null when there is none of that name.
[[nodiscard]] const TlsPolicy* FindTlsPolicy(std::string_view name);
// What the API gives to a listener that names none.
inline constexpr std::string_view kDefaultTlsPolicy = "ELBSecurityPolicy-2016-08";

// The policy of connections to targets where HTTPS listeners have the policies `listeners`; the first row of alb.md
// 18.4 that fits. Without a listener it is that of old policies.
[[nodiscard]] const TlsPolicy& TargetTlsPolicy(std::span<const TlsPolicy* const> listeners);

// Those of the policy's groups that the OpenSSL at hand cannot offer.
[[nodiscard]] std::vector<std::string_view> MissingGroups(const TlsPolicy& policy);

}  // namespace weir::net
