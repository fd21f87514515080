#include "bench/load/http/http1_connection.h"

#include <sys/uio.h>

#include <array>
#include <utility>

namespace weir::bench {
namespace {

iovec Piece(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

}  // namespace

Http1Connection::Http1Connection(ConnectionShared& shared, ConnectionEvents& events, std::uint32_t origin)
    : Connection(origin), shared_(shared), events_(events), reader_(shared.heads) {}

std::unique_ptr<Connection> Http1Connection::Open(ConnectionShared& shared, ConnectionEvents& events,
                                                  std::uint32_t origin, int& error) {
  std::unique_ptr<Http1Connection> made(new Http1Connection(shared, events, origin));
  made->stream_ = shared.opener.Open(origin, *made, error);
  if (!made->stream_.stream) return nullptr;
  shared.loop.timers().Schedule(*made, shared.loop.now() + shared.timeout);
  return made;
}

void Http1Connection::Send(const Request& request) {
  request_ = request;
  has_request_ = true;
  sent_ = 0;
  // The wheel looks at a deadline that moved away only when the old one has come: this stores a number.
  shared_.loop.timers().Schedule(*this, shared_.loop.now() + shared_.timeout);
  if (phase_ == Phase::kOpening) return;
  phase_ = Phase::kWaiting;
  reader_.Begin(prepared().method);
  Transmit();
}

void Http1Connection::Transmit() {
  const PreparedRequest& request = prepared();
  std::array<iovec, 2> pieces;
  std::size_t count = 0;
  const std::size_t head_left = sent_ < request.head.size() ? request.head.size() - sent_ : 0;
  if (head_left > 0) pieces[count++] = Piece(std::string_view(request.head).substr(sent_));
  if (!request.content.empty()) {
    pieces[count++] = Piece(request.content.substr(head_left > 0 ? 0 : sent_ - request.head.size()));
  }
  if (count == 0 || sent_ == request.head.size() + request.content.size()) return;
  const auto sent = stream_.stream->Write({pieces.data(), count});
  if (sent.status == net::IoStatus::kOk) {
    sent_ += sent.bytes;
    shared_.counts.bytes_sent += sent.bytes;
    return;
  }
  // A server may answer before it has read all, and then close: what it said is still to be read.
  if (sent.status == net::IoStatus::kError && !stream_.stream->readable()) TakeEnd(sent.error);
}

void Http1Connection::OnConnected(int error) {
  if (error != 0) {
    const OpenFailure failure = OpenFailureOf(error, stream_.tls);
    return Fail(failure.kind, failure.detail);
  }
  if (stream_.tls != nullptr) shared_.counts.AddHandshake(stream_.tls->tls()->is_resumed);
  phase_ = Phase::kIdle;
  if (has_request_) return Send(request_);
  events_.OnRoom(*this);
}

void Http1Connection::OnWritable() {
  if (phase_ == Phase::kWaiting) Transmit();
}

void Http1Connection::OnReadable() {
  while (phase_ != Phase::kGone && stream_.stream->readable()) {
    const auto got = stream_.stream->Read(shared_.scratch);
    if (got.status == net::IoStatus::kWouldBlock) return;
    if (got.status != net::IoStatus::kOk) return TakeEnd(got.error);
    shared_.counts.bytes_received += got.bytes;
    Take({shared_.scratch.data(), got.bytes});
  }
}

void Http1Connection::Take(std::string_view bytes) {
  if (phase_ != Phase::kWaiting) {
    Leave(net::Stream::CloseMode::kGraceful);
    return events_.OnStrayBytes(*this);
  }
  const auto outcome = reader_.Take(bytes);
  switch (outcome.state) {
    case ResponseReader::State::kNeedMore:
      return;
    case ResponseReader::State::kRefused:
      return Fail(ErrorKind::kMalformed, reader_.why());
    case ResponseReader::State::kDone:
      return FinishResponse(bytes.substr(outcome.consumed));
  }
}

void Http1Connection::TakeEnd(int error) {
  if (phase_ != Phase::kWaiting) return Leave(net::Stream::CloseMode::kGraceful);
  if (error != 0) {
    // RST on a connection that was idle until now is the same race as a FIN there.
    const bool is_race = has_answered() && !reader_.has_begun();
    return Fail(is_race ? ErrorKind::kClosedIdle : ErrorKind::kReset, {});
  }
  if (!reader_.has_begun()) return Fail(has_answered() ? ErrorKind::kClosedIdle : ErrorKind::kClosedEarly, {});
  if (reader_.TakeEnd().state == ResponseReader::State::kDone) return FinishResponse({});
  Fail(ErrorKind::kClosedEarly, reader_.why());
}

void Http1Connection::FinishResponse(std::string_view rest) {
  const ResponseFacts facts = reader_.facts();
  // An answer that came before the request was sent whole leaves a connection in the middle of a message.
  const bool sent_all = sent_ == prepared().head.size() + prepared().content.size();
  const bool keeps = facts.keep_alive && shared_.keeps_connections && sent_all && rest.empty();
  set_answered();
  has_request_ = false;
  phase_ = Phase::kIdle;
  if (!keeps) Leave(net::Stream::CloseMode::kGraceful);
  if (!rest.empty()) events_.OnStrayBytes(*this);
  events_.OnResponse(*this, request_, facts);
}

void Http1Connection::Fail(ErrorKind kind, std::string_view detail) {
  const bool had_request = std::exchange(has_request_, false);
  Leave(kind == ErrorKind::kTimeout ? net::Stream::CloseMode::kReset : net::Stream::CloseMode::kGraceful);
  if (had_request) events_.OnFailure(*this, request_, kind, detail);
}

void Http1Connection::Leave(net::Stream::CloseMode mode) {
  if (phase_ == Phase::kGone) return;
  phase_ = Phase::kGone;
  may_take_ = 0;
  Cancel();
  stream_.stream->Close(mode);
  events_.OnGone(*this);
}

void Http1Connection::OnTimer() {
  if (phase_ == Phase::kIdle || phase_ == Phase::kGone) return;
  Fail(phase_ == Phase::kOpening ? ErrorKind::kConnectTimeout : ErrorKind::kTimeout, {});
}

}  // namespace weir::bench
