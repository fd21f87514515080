#pragma once

#include "base/ip_address.h"
#include "base/published.h"
#include "base/unique_fd.h"
#include "control/view.h"
#include "dns/counters.h"
#include "dns/responder.h"
#include "net/event_loop.h"
#include "proxy/data_plane.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace weir::app {

struct WorkerOptions {
  std::size_t index = 0;
  std::string node_region;
  proxy::AccessLogSinks* access_logs = nullptr;
  proxy::ClientCrowd* client_crowd = nullptr;
  net::TlsSharedState tls;
  dns::ResponderCounters* dns_counters = nullptr;  // this worker's own
};

// One worker: a thread, its event loop, its proxy and its DNS responders. It reads the newest view at the start of each
// turn. Thread: control, for every method; the work is posted to the worker's own thread.
class Worker {
 public:
  // `views` and what `options` points to outlive the worker.
  Worker(WorkerOptions options, const Published<control::View>& views);
  ~Worker();  // Stop()
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Takes over a view that was just published, if it sleeps. Thread: any.
  void Wake();
  // What it may have open from now on; DNS addresses that are there already keep what they were given.
  void SetLimits(const proxy::ConnectionLimits& limits, std::size_t dns_connections);
  void AddListener(const proxy::ListenerKey& key, const Endpoint& bound, UniqueFd fd);
  void RemoveListener(const Endpoint& bound);
  void AddDns(const Endpoint& bound, UniqueFd udp, UniqueFd tcp);
  void RemoveDns(const Endpoint& bound);
  // Stops accepting and finishes what is under way; DNS over UDP is answered on until Stop.
  void Drain();
  // True once Drain has left no connection. Thread: any.
  [[nodiscard]] bool idle() const { return idle_.load(std::memory_order_acquire); }
  // Ends everything at once and joins the thread.
  void Stop();

 private:
  struct Responder {
    Endpoint bound;
    std::unique_ptr<dns::UdpResponder> udp;
    std::unique_ptr<dns::TcpResponder> tcp;
  };
  void OnTurnStart();
  void OnTurnEnd();
  void SetView(Responder& responder) const;

  WorkerOptions options_;
  Published<control::View>::Reader reader_;  // the worker thread's own, like everything down to `idle_`
  net::EventLoop loop_;
  proxy::DataPlane data_plane_;
  dns::TcpBudget dns_budget_;  // of all responders
  dns::TcpLimits dns_limits_;
  std::vector<Responder> responders_;
  std::vector<Responder> leaving_;  // removed by a reload: connections finish
  bool draining_ = false;
  std::atomic<bool> idle_{false};  // released by the worker, acquired by control
  std::thread thread_;
};

}  // namespace weir::app
