#include "proxy/downstream/preface_reader.h"

#include "proxy/downstream/http1_connection.h"
#include "proxy/downstream/http2_connection.h"

#include <string_view>
#include <utility>

namespace weir::proxy {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace

PrefaceReader::PrefaceReader(WorkerState& worker, DownstreamConnections& connections,
                             std::shared_ptr<ListenerSlot> slot, std::unique_ptr<net::Stream> stream,
                             std::unique_ptr<const std::string> id)
    : worker_(worker),
      connections_(connections),
      slot_(std::move(slot)),
      stream_(std::move(stream)),
      id_(std::move(id)) {
  static_assert(kPreface.size() == kPrefaceBytes);
  stream_->set_events(*this);
  const auto& attributes = slot_->listener->load_balancer_config->attributes;
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + attributes.idle_timeout);
}

PrefaceReader::~PrefaceReader() = default;

void PrefaceReader::OnReadable() {
  while (stream_ != nullptr && stream_->readable()) {
    const net::IoResult result = stream_->Read({bytes_.data() + received_, kPrefaceBytes - received_});
    if (result.status == net::IoStatus::kWouldBlock) return;
    if (result.status != net::IoStatus::kOk) return Abort();
    received_ += result.bytes;
    if (const Speaks what = Judge(); what != Speaks::kUnknown) return HandOver(what);
  }
}

PrefaceReader::Speaks PrefaceReader::Judge() const {
  const std::string_view received(bytes_.data(), received_);
  if (received == kPreface) return Speaks::kHttp2;
  return kPreface.starts_with(received) ? Speaks::kUnknown : Speaks::kHttp1;
}

void PrefaceReader::HandOver(Speaks what) {
  const std::string_view received(bytes_.data(), received_);
  if (what == Speaks::kHttp2) {
    connections_.Add(
        std::make_unique<Http2Connection>(worker_, connections_, slot_, std::move(stream_), std::move(id_), received));
  } else {
    auto connection =
        std::make_unique<Http1Connection>(worker_, connections_, slot_, std::move(stream_), std::move(id_));
    connection->TakeReceived(received);
    connections_.Add(std::move(connection));
  }
  Leave();
}

void PrefaceReader::CloseWhenIdle() {
  if (received_ == 0) Abort();
}

void PrefaceReader::Abort() {
  if (stream_ == nullptr || !stream_->open()) return;
  slot_->counters->connections_accepted.Add();
  stream_->Close(net::Stream::CloseMode::kGraceful);
  Leave();
}

void PrefaceReader::Leave() {
  net::Timer::Cancel();
  connections_.Remove(worker_, *this);
}

}  // namespace weir::proxy
