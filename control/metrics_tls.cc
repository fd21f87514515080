#include "control/metrics_tls.h"

#include "base/counters.h"
#include "control/listener_labels.h"
#include "control/metrics_writer.h"
#include "net/tls_client.h"
#include "net/tls_facts.h"
#include "net/tls_policy.h"
#include "net/tls_server.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>

namespace weir::control {
namespace {

// Sums of the workers' counters of a listener, and of a target group.
auto SumOf(const proxy::Listener& listener) {
  return [&listener](auto read) { return listener.counters->Sum([&](const auto& c) { return read(c.tls); }); };
}
auto SumOf(const proxy::TargetGroupRoute& group) {
  return [&group](auto read) { return group.tls_counters->Sum(read); };
}

// Calls write(version, resumed, count) for each kind of handshake that went through.
template <class Sum, class Write>
void ForEachHandshake(Sum sum, Write write) {
  for (const auto version : {net::TlsVersion::k10, net::TlsVersion::k11, net::TlsVersion::k12, net::TlsVersion::k13}) {
    for (const std::size_t resumed : {0U, 1U}) {
      write(net::ToString(version), resumed == 1 ? "true" : "false", sum([&](const proxy::TlsCounters& c) {
              return c.handshakes[std::to_underlying(version)][resumed].value();
            }));
    }
  }
}

// Calls write(sender, alert, count) for each kind of failure: alerts that were met, and no others, since most never
// are.
template <class Sum, class Write>
void ForEachFailure(Sum sum, std::string_view peer, Write write) {
  using Alerts = std::array<Counter, 128> proxy::TlsCounters::*;
  for (const auto& [sender, alerts] : {std::pair<std::string_view, Alerts>("weir", &proxy::TlsCounters::alerts_sent),
                                       {peer, &proxy::TlsCounters::alerts_received}}) {
    for (std::size_t i = 0; i < 128; ++i) {
      const auto count = sum([&](const proxy::TlsCounters& c) { return (c.*alerts)[i].value(); });
      if (count > 0) write(sender, net::TlsAlertName(static_cast<std::uint8_t>(i)), count);
    }
  }
  write("nobody", "none", sum([](const proxy::TlsCounters& c) { return c.failed_without_alert.value(); }));
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
    ForEachHandshake(SumOf(listener), [&](std::string_view version, std::string_view resumed, std::uint64_t count) {
      out.Sample({{"load_balancer", labels.load_balancer},
                  {"listener", labels.listener},
                  {"policy", listener.listener_config->ssl_policy.text},
                  {"version", version},
                  {"resumed", resumed}},
                 count);
    });
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
             "ClientTLSNegotiationErrorCount: TLS handshakes that failed, by the alert and who sent it.");
  ForEachTlsListener(view, [&](const proxy::Listener& listener) {
    const auto labels = LabelsOf(listener);
    ForEachFailure(SumOf(listener), "client",
                   [&](std::string_view sender, std::string_view alert, std::uint64_t count) {
                     out.Sample({{"load_balancer", labels.load_balancer},
                                 {"listener", labels.listener},
                                 {"sender", sender},
                                 {"alert", alert}},
                                count);
                   });
  });
}

void WriteClientCertificateFailures(MetricsWriter& out, const View& view) {
  out.Family("weir_listener_client_certificate_failures_total", "counter",
             "TLS handshakes that failed by the client's certificate, by the code of the connection log.");
  ForEachTlsListener(view, [&](const proxy::Listener& listener) {
    if (!listener.tls->client_authentication) return;
    const auto labels = LabelsOf(listener);
    for (std::size_t i = 1; i < net::kClientCertificateFaults; ++i) {
      out.Sample({{"load_balancer", labels.load_balancer},
                  {"listener", labels.listener},
                  {"code", net::ToString(static_cast<net::ClientCertificateFault>(i))}},
                 listener.counters->Sum([i](const auto& c) { return c.tls.certificate_faults[i].value(); }));
    }
  });
}

std::uint64_t UnixTime(WallTime time) {
  return static_cast<std::uint64_t>(std::max<std::time_t>(std::chrono::system_clock::to_time_t(time), 0));
}

void WriteTrustStores(MetricsWriter& out, const View& view) {
  const auto& stores = view.routing->trust_stores();
  out.Family("weir_trust_store_not_after_timestamp_seconds", "gauge",
             "When an authority of a trust store expires, Unix time.");
  for (std::size_t i = 0; i < stores.size(); ++i) {
    for (const net::TlsCertificateFacts& authority : stores[i]->authorities()) {
      out.Sample({{"trust_store", view.model->trust_stores[i].name},
                  {"subject", authority.subject},
                  {"serial_number", authority.serial_number}},
                 UnixTime(authority.not_after));
    }
  }
  out.Family("weir_trust_store_revocations_next_update_timestamp_seconds", "gauge",
             "When a newer revocation list is due, Unix time.");
  for (std::size_t i = 0; i < stores.size(); ++i) {
    for (const auto& list : stores[i]->revocations()) {
      if (!list.next_update) continue;
      out.Sample({{"trust_store", view.model->trust_stores[i].name}, {"file", list.file}, {"issuer", list.issuer}},
                 UnixTime(*list.next_update));
    }
  }
  out.Family("weir_trust_store_revoked_certificates", "gauge", "Entries of a revocation list.");
  for (std::size_t i = 0; i < stores.size(); ++i) {
    for (const auto& list : stores[i]->revocations()) {
      out.Sample({{"trust_store", view.model->trust_stores[i].name}, {"file", list.file}, {"issuer", list.issuer}},
                 list.entries);
    }
  }
}

void WriteCertificates(MetricsWriter& out, const View& view) {
  out.Family("weir_certificate_not_after_timestamp_seconds", "gauge", "When a certificate expires, Unix time.");
  ForEachTlsListener(view, [&](const proxy::Listener& listener) {
    const auto labels = LabelsOf(listener);
    for (const auto& credential : listener.tls->choice->credentials()) {
      out.Sample({{"load_balancer", labels.load_balancer},
                  {"listener", labels.listener},
                  {"certificate", credential->certificate_file()}},
                 UnixTime(credential->facts().not_after));
    }
  });
}

void WriteStaples(MetricsWriter& out, const View& view) {
  out.Family("weir_certificate_ocsp_valid_until_timestamp_seconds", "gauge",
             "Until when the OCSP response of a certificate is given to clients, Unix time.");
  ForEachTlsListener(view, [&](const proxy::Listener& listener) {
    const auto labels = LabelsOf(listener);
    const auto& staples = listener.tls->staples;
    for (std::size_t i = 0; i < staples.size(); ++i) {
      if (staples[i].response == nullptr) continue;
      out.Sample({{"load_balancer", labels.load_balancer},
                  {"listener", labels.listener},
                  {"certificate", listener.tls->choice->credentials()[i]->certificate_file()}},
                 UnixTime(staples[i].valid_until));
    }
  });
}

// Calls `write` with each target group whose targets speak TLS.
template <class Write>
void ForEachTlsGroup(const View& view, Write write) {
  for (const auto& group : view.routing->groups()) {
    if (group.is_https()) write(group);
  }
}

void WriteTargetGroups(MetricsWriter& out, const View& view) {
  out.Family("weir_target_group_info", "gauge", "Always 1: the protocol of a target group, and its version.");
  for (const auto& group : view.routing->groups()) {
    out.Sample(
        {{"target_group", group.name}, {"protocol", group.protocol()}, {"protocol_version", group.protocol_version()}},
        std::uint64_t{1});
  }
  out.Family("weir_target_group_tls_handshakes_total", "counter", "TLS handshakes with targets that went through.");
  ForEachTlsGroup(view, [&](const proxy::TargetGroupRoute& group) {
    ForEachHandshake(SumOf(group), [&](std::string_view version, std::string_view resumed, std::uint64_t count) {
      out.Sample({{"target_group", group.name},
                  {"policy", group.tls->policy->name},
                  {"version", version},
                  {"resumed", resumed}},
                 count);
    });
  });
  out.Family(
      "weir_target_group_tls_failures_total", "counter",
      "TargetTLSNegotiationErrorCount: connections to targets that failed in TLS, by the alert and who sent it.");
  ForEachTlsGroup(view, [&](const proxy::TargetGroupRoute& group) {
    ForEachFailure(SumOf(group), "target", [&](std::string_view sender, std::string_view alert, std::uint64_t count) {
      out.Sample({{"target_group", group.name}, {"sender", sender}, {"alert", alert}}, count);
    });
  });
}

}  // namespace

void WriteTlsMetrics(MetricsWriter& out, const View& view) {
  WriteTlsHandshakes(out, view);
  WriteTlsFailures(out, view);
  WriteClientCertificateFailures(out, view);
  WriteCertificates(out, view);
  WriteStaples(out, view);
  WriteTargetGroups(out, view);
  WriteTrustStores(out, view);
}

}  // namespace weir::control
