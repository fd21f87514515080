#include "control/metrics_authentication.h"

#include "control/metrics_histogram.h"
#include "proxy/error.h"
#include "proxy/routing/routing_table.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::control {
namespace {

using Fault = proxy::AuthenticationFault;

std::uint64_t Faults(const proxy::ListenerCounters& counters, Fault fault) {
  std::uint64_t sum = fault == Fault::kFailure ? counters.authentication.invalid_cookies.value() : 0;
  for (std::size_t i = 0; i < proxy::kErrorCodeCount; ++i) {
    const auto code = static_cast<proxy::ErrorCode>(i);
    // A cookie is counted where it is read, whatever is answered.
    if (code == proxy::ErrorCode::kAuthInvalidCookie) continue;
    if (proxy::AuthenticationFaultOf(code) == fault) sum += counters.errors[i].value();
  }
  return sum;
}

template <class Write>
void ForEachListener(const View& view, Write write) {
  for (const auto& listener : view.routing->listeners()) {
    if (listener->login_callback != nullptr) write(*listener, std::to_string(listener->port));
  }
}

// One sample by result.
template <class Read>
void Sample(MetricsWriter& out, const proxy::Listener& listener, std::string_view port, std::string_view result,
            Read read) {
  out.Sample({{"load_balancer", listener.load_balancer}, {"listener", port}, {"result", result}},
             listener.counters->Sum(read));
}

}  // namespace

void WriteAuthenticationMetrics(MetricsWriter& out, const View& view) {
  out.Family(
      "weir_listener_authentications_total", "counter",
      "ELBAuthSuccess, ELBAuthFailure, ELBAuthError, ELBAuthUserClaimsSizeExceeded: users who signed in, or could "
      "not, by result.");
  ForEachListener(view, [&](const proxy::Listener& listener, const std::string& port) {
    Sample(out, listener, port, "success", [](const auto& c) { return c.authentication.successes.value(); });
    Sample(out, listener, port, "failure", [](const auto& c) { return Faults(c, Fault::kFailure); });
    Sample(out, listener, port, "error", [](const auto& c) { return Faults(c, Fault::kError); });
    Sample(out, listener, port, "claims_too_large", [](const auto& c) { return Faults(c, Fault::kClaimsTooLarge); });
  });
  out.Family(
      "weir_listener_session_refreshes_total", "counter",
      "ELBAuthRefreshTokenSuccess: sessions whose access token had expired, by whether the provider gave a new one.");
  ForEachListener(view, [&](const proxy::Listener& listener, const std::string& port) {
    Sample(out, listener, port, "success", [](const auto& c) { return c.authentication.refreshes.value(); });
    Sample(out, listener, port, "failure", [](const auto& c) { return c.authentication.failed_refreshes.value(); });
  });
  out.Family("weir_listener_authentication_duration_seconds", "histogram",
             "ELBAuthLatency: what providers took for the tokens and claims of logins.");
  ForEachListener(view, [&](const proxy::Listener& listener, const std::string& port) {
    const auto latency = [](const auto& c) -> const LatencyHistogram& { return c.authentication.latency; };
    WriteHistogram(out, {{"load_balancer", listener.load_balancer}, {"listener", port}},
                   SumHistogram(*listener.counters, latency));
  });
}

}  // namespace weir::control
