#include "bench/load/http/http2_connection.h"

#include "base/text.h"

#include <sys/uio.h>

#include <algorithm>
#include <string>

namespace weir::bench {
namespace {

constexpr std::size_t kOutputBytes = 64 * 1024;  // of one write

}  // namespace

Http2Connection::Http2Connection(ConnectionShared& shared, ConnectionEvents& events, std::uint32_t origin)
    : Connection(origin), shared_(shared), events_(events), session_(*this), slots_(shared.streams_max) {}

std::unique_ptr<Connection> Http2Connection::Open(ConnectionShared& shared, ConnectionEvents& events,
                                                  std::uint32_t origin, int& error) {
  std::unique_ptr<Http2Connection> made(new Http2Connection(shared, events, origin));
  made->stream_ = shared.opener.Open(origin, *made, error);
  if (!made->stream_.stream) return nullptr;
  shared.loop.timers().Schedule(*made, shared.loop.now() + shared.timeout);
  return made;
}

unsigned Http2Connection::room() const {
  if (phase_ == Phase::kGone || !session_.accepts_requests()) return 0;
  if (!shared_.keeps_connections) return was_used_ ? 0 : 1;
  const unsigned allowed = std::min<unsigned>(shared_.streams_max, session_.streams_max());
  return allowed > active_ ? allowed - active_ : 0;
}

void Http2Connection::Send(const Request& request) {
  const auto slot = static_cast<std::size_t>(std::ranges::find(slots_, false, &Slot::used) - slots_.begin());
  slots_[slot] = {.used = true,
                  .given_up = false,
                  .request = request,
                  .deadline = shared_.loop.now() + shared_.timeout,
                  .facts = {}};
  ++active_;
  was_used_ = true;
  if (!scheduled()) shared_.loop.timers().Schedule(*this, slots_[slot].deadline);
  if (phase_ == Phase::kOpen) Submit(slot);
}

void Http2Connection::Submit(std::size_t slot) {
  const PreparedRequest& request = shared_.plan.requests()[slots_[slot].request.index];
  fields_.clear();
  for (const HeaderField& field : request.fields) fields_.push_back({field.name, field.value});
  if (!session_.Submit(fields_, request.content, slot)) return OnStreamEnd(slot, http::StreamEnd::kOvertaken, 0);
  shared_.loop.RunSoon(*this);
}

void Http2Connection::OnConnected(int error) {
  if (error != 0) {
    const OpenFailure failure = OpenFailureOf(error, stream_.tls);
    return FailAll(failure.kind, failure.detail);
  }
  if (stream_.tls != nullptr && stream_.tls->tls()->alpn != "h2") return FailAll(ErrorKind::kTlsWithoutHttp2, {});
  if (stream_.tls != nullptr) shared_.counts.AddHandshake(stream_.tls->tls()->is_resumed);
  phase_ = Phase::kOpen;
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    if (slots_[slot].used) Submit(slot);
  }
  shared_.loop.RunSoon(*this);
  events_.OnRoom(*this);
}

void Http2Connection::OnReadable() {
  const unsigned room_before = room();
  while (phase_ != Phase::kGone && stream_.stream->readable()) {
    const auto got = stream_.stream->Read(shared_.scratch);
    if (got.status == net::IoStatus::kWouldBlock) break;
    if (got.status != net::IoStatus::kOk) {
      TellUnsent();
      return FailAll(got.error != 0 ? ErrorKind::kReset : ErrorKind::kClosedEarly, {});
    }
    shared_.counts.bytes_received += got.bytes;
    if (!session_.Receive({shared_.scratch.data(), got.bytes})) {
      const std::string why(session_.why());
      Flush();
      return FailAll(ErrorKind::kHttp2Protocol, why);
    }
  }
  if (phase_ == Phase::kGone) return;
  // Acknowledgements and window updates.
  shared_.loop.RunSoon(*this);
  // The server's SETTINGS may allow more than was assumed.
  if (room() > room_before) events_.OnRoom(*this);
  LeaveIfUsedUp();
}

// Of requests that a GOAWAY overtook before they were sent the session tells when it would write them.
void Http2Connection::TellUnsent() {
  if (session_.accepts_requests()) return;
  while (phase_ == Phase::kOpen && !session_.Output().empty()) continue;
}

void Http2Connection::OnWritable() { Flush(); }

bool Http2Connection::Transmit() {
  while (output_sent_ < output_.size()) {
    const iovec piece{.iov_base = output_.data() + output_sent_, .iov_len = output_.size() - output_sent_};
    const auto sent = stream_.stream->Write({&piece, 1});
    // An error shows when the answers are read.
    if (sent.status != net::IoStatus::kOk) return false;
    output_sent_ += sent.bytes;
    shared_.counts.bytes_sent += sent.bytes;
    if (output_sent_ < output_.size() && stream_.tls == nullptr) return false;
  }
  output_.clear();
  output_sent_ = 0;
  return true;
}

void Http2Connection::Flush() {
  if (phase_ != Phase::kOpen) return;
  while (Transmit()) {
    while (output_.size() < kOutputBytes) {
      const std::string_view more = session_.Output();
      if (more.empty()) break;
      output_ += more;
    }
    // Streams may have ended meanwhile, and the connection with them.
    if (output_.empty() || phase_ != Phase::kOpen) return LeaveIfUsedUp();
  }
}

void Http2Connection::OnStatus(std::uint64_t token, std::uint16_t status) { slots_[token].facts.status = status; }

void Http2Connection::OnField(std::uint64_t token, std::string_view name, std::string_view value) {
  const std::string& wanted = shared_.heads.group_header();
  if (!wanted.empty() && EqualsIgnoreCase(name, wanted)) slots_[token].facts.share = shared_.heads.ShareOf(value);
}

void Http2Connection::Release(std::size_t slot) {
  slots_[slot].used = false;
  --active_;
}

void Http2Connection::OnStreamEnd(std::uint64_t token, http::StreamEnd end, std::uint32_t code) {
  // A stream that ends after FailAll has told of its request.
  if (phase_ == Phase::kGone || !slots_[token].used) return;
  const Slot slot = slots_[token];
  Release(token);
  if (slot.given_up) return events_.OnRoom(*this);
  if (end == http::StreamEnd::kComplete) {
    set_answered();
    if (!shared_.keeps_connections) Leave();
    return events_.OnResponse(*this, slot.request, slot.facts);
  }
  if (!shared_.keeps_connections) Leave();
  if (end == http::StreamEnd::kOvertaken) return events_.OnOvertaken(*this, slot.request);
  const auto kind = end == http::StreamEnd::kRefused ? ErrorKind::kHttp2Refused : ErrorKind::kHttp2StreamReset;
  const std::string detail = "error code " + std::to_string(code);
  events_.OnFailure(*this, slot.request, kind, detail);
}

void Http2Connection::LeaveIfUsedUp() {
  if (phase_ == Phase::kOpen && active_ == 0 && !session_.accepts_requests()) Leave();
}

void Http2Connection::FailAll(ErrorKind kind, std::string_view detail) {
  std::vector<Request> failed;
  for (Slot& slot : slots_) {
    if (slot.used && !slot.given_up) failed.push_back(slot.request);
    slot.used = false;
  }
  active_ = 0;
  Leave();
  for (const Request& request : failed) events_.OnFailure(*this, request, kind, detail);
}

void Http2Connection::Leave() {
  if (phase_ == Phase::kGone) return;
  phase_ = Phase::kGone;
  Cancel();
  stream_.stream->Close(net::Stream::CloseMode::kGraceful);
  events_.OnGone(*this);
}

void Http2Connection::OnTimer() {
  if (phase_ == Phase::kOpening) return FailAll(ErrorKind::kConnectTimeout, {});
  const SteadyTime now = shared_.loop.now();
  const auto is_alive = [now](const Slot& slot) { return slot.used && !slot.given_up && slot.deadline > now; };
  // Where every stream is late, the connection is: it is replaced.
  if (active_ > 0 && std::ranges::none_of(slots_, is_alive)) return FailAll(ErrorKind::kTimeout, {});
  SteadyTime next = SteadyTime::max();
  for (std::size_t i = 0; i < slots_.size() && phase_ == Phase::kOpen; ++i) {
    if (is_alive(slots_[i])) {
      next = std::min(next, slots_[i].deadline);
    } else if (slots_[i].used && !slots_[i].given_up) {
      GiveUp(i);
    }
  }
  if (phase_ == Phase::kOpen && next != SteadyTime::max()) shared_.loop.timers().Schedule(*this, next);
}

void Http2Connection::GiveUp(std::size_t slot) {
  slots_[slot].given_up = true;
  session_.Reset(slot);
  shared_.loop.RunSoon(*this);
  const Request request = slots_[slot].request;
  events_.OnFailure(*this, request, ErrorKind::kTimeout, {});
}

}  // namespace weir::bench
