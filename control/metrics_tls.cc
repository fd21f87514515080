#include "control/metrics_tls.h"

#include "base/counters.h"
#include "control/metrics_writer.h"
#include "net/tls_facts.h"
#include "net/tls_policy.h"
#include "net/tls_server.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace weir::control {
namespace {

// What labels a listener: its load balancer and its port.
struct ListenerLabels {
  const std::string& load_balancer;
  std::string listener;
};
ListenerLabels LabelsOf(const proxy::Listener& listener) {
  return {listener.load_balancer, std::to_string(listener.port)};
}

// Alerts that were met, and no others: most never are.
void WriteAlerts(MetricsWriter& out, const proxy::Listener& listener, std::string_view sender,
                 std::array<Counter, 128> proxy::TlsCounters::* member) {
  const auto labels = LabelsOf(listener);
  for (std::size_t i = 0; i < 128; ++i) {
    const auto count = listener.counters->Sum([&](const auto& c) { return (c.tls.*member)[i].value(); });
    if (count == 0) continue;
    out.Sample({{"load_balancer", labels.load_balancer},
                {"listener", labels.listener},
                {"sender", sender},
                {"alert", net::TlsAlertName(static_cast<std::uint8_t>(i))}},
               count);
  }
}

// Calls `write` with each listener that speaks TLS.
template <class Write>
void ForEachTlsListener(const View& view, Write write) {
  for (const auto& listener : view.routing->listeners()) {
    if (listener->tls != nullptr) write(*listener);
  }
}

void WriteTlsHandshakes(MetricsWriter& out, const View& view) {
  out.Family("weir_listener_tls_handshakes_total", "counter", "TLS handshakes that went through.");
  ForEachTlsListener(view, [&](const proxy::Listener& listener) {
    const auto labels = LabelsOf(listener);
    for (const auto version :
         {net::TlsVersion::k10, net::TlsVersion::k11, net::TlsVersion::k12, net::TlsVersion::k13}) {
      for (const std::size_t resumed : {0U, 1U}) {
        out.Sample({{"load_balancer", labels.load_balancer},
                    {"listener", labels.listener},
                    {"policy", listener.listener_config->ssl_policy.text},
                    {"version", net::ToString(version)},
                    {"resumed", resumed == 1 ? "true" : "false"}},
                   listener.counters->Sum(
                       [&](const auto& c) { return c.tls.handshakes[std::to_underlying(version)][resumed].value(); }));
      }
    }
  });
  out.Family("weir_listener_tls_suites_total", "counter", "TLS handshakes that went through, by cipher suite.");
  ForEachTlsListener(view, [&](const proxy::Listener& listener) {
    const auto labels = LabelsOf(listener);
    for (std::size_t i = 0; i < net::kTlsSuiteCount; ++i) {
      const auto count = listener.counters->Sum([i](const auto& c) { return c.tls.suites[i].value(); });
      if (count == 0) continue;
      out.Sample(
          {{"load_balancer", labels.load_balancer}, {"listener", labels.listener}, {"suite", net::TlsSuiteAt(i).name}},
          count);
    }
  });
}

void WriteTlsFailures(MetricsWriter& out, const View& view) {
  out.Family("weir_listener_tls_handshakes_active", "gauge", "TLS handshakes under way.");
  ForEachTlsListener(view, [&](const proxy::Listener& listener) {
    const auto labels = LabelsOf(listener);
    out.Sample({{"load_balancer", labels.load_balancer}, {"listener", labels.listener}},
               listener.counters->Sum([](const auto& c) { return c.tls.handshakes_active.value(); }));
  });
  out.Family("weir_listener_tls_failures_total", "counter",
             "TLS handshakes that failed, by the alert and who sent it.");
  ForEachTlsListener(view, [&](const proxy::Listener& listener) {
    WriteAlerts(out, listener, "weir", &proxy::TlsCounters::alerts_sent);
    WriteAlerts(out, listener, "client", &proxy::TlsCounters::alerts_received);
    const auto labels = LabelsOf(listener);
    out.Sample({{"load_balancer", labels.load_balancer},
                {"listener", labels.listener},
                {"sender", "nobody"},
                {"alert", "none"}},
               listener.counters->Sum([](const auto& c) { return c.tls.failed_without_alert.value(); }));
  });
}

void WriteCertificates(MetricsWriter& out, const View& view) {
  out.Family("weir_certificate_not_after_timestamp_seconds", "gauge", "When a certificate expires, Unix time.");
  ForEachTlsListener(view, [&](const proxy::Listener& listener) {
    const auto labels = LabelsOf(listener);
    for (const auto& credential : listener.tls->choice->credentials()) {
      const auto until = std::chrono::system_clock::to_time_t(credential->facts().not_after);
      out.Sample({{"load_balancer", labels.load_balancer},
                  {"listener", labels.listener},
                  {"certificate", credential->certificate_file()}},
                 static_cast<std::uint64_t>(until));
    }
  });
}

}  // namespace

void WriteTlsMetrics(MetricsWriter& out, const View& view) {
  WriteTlsHandshakes(out, view);
  WriteTlsFailures(out, view);
  WriteCertificates(out, view);
}

}  // namespace weir::control
