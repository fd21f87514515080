#include "outbound/http_client.h"

#include "http/writer.h"
#include "net/resolver.h"
#include "net/stream.h"
#include "net/tls_authorities.h"
#include "net/tls_client.h"
#include "outbound/response_reader.h"

#include <sys/uio.h>

#include <algorithm>
#include <span>

namespace weir::outbound {
namespace {

// Of one name: our choice, so that a name with hundreds does not become hundreds of attempts.
constexpr std::size_t kAddressesMax = 8;
constexpr std::size_t kReadBytes = 16 * 1024;

std::string WriteRequest(const Request& request) {
  std::string out;
  http::AppendRequestLine(out, request.method, request.url.target);
  http::AppendField(out, "Host", HostOf(request.url));
  for (const auto& [name, value] : request.fields) http::AppendField(out, name, value);
  const bool announces_content = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (!request.content.empty() || announces_content) http::AppendContentLength(out, request.content.size());
  http::AppendField(out, "Connection", "close");
  out += "\r\n";
  out += request.content;
  return out;
}

}  // namespace

std::string_view ToString(Failure failure) {
  switch (failure) {
    case Failure::kResolve:
      return "the name could not be resolved";
    case Failure::kConnect:
      return "the connection failed";
    case Failure::kTls:
      return "TLS failed";
    case Failure::kTimeout:
      return "it timed out";
    case Failure::kTooLarge:
      return "the answer is too large";
    case Failure::kMalformed:
      return "the answer is malformed";
  }
  std::unreachable();
}

std::string_view Response::Field(std::string_view name) const {
  const auto found = std::ranges::find_if(fields, [&](const auto& field) { return field.first == name; });
  return found == fields.end() ? std::string_view{} : found->second;
}

// What the calls of one loop share; all of it is made when the first call needs it.
class HttpClient::Impl {
 public:
  Impl(net::EventLoop& event_loop, std::span<const Endpoint> name_servers)
      : loop(event_loop), name_servers_(name_servers.begin(), name_servers.end()) {}

  [[nodiscard]] net::Resolver& Names() {
    if (resolver_ == nullptr) resolver_ = std::make_unique<net::Resolver>(loop, name_servers_);
    return *resolver_;
  }
  // Room for one read, whose bytes are used up before the next one.
  [[nodiscard]] std::span<char> Room() {
    if (room_.empty()) room_.resize(kReadBytes);
    return room_;
  }
  // Null when the authorities of the system cannot be read.
  [[nodiscard]] std::shared_ptr<net::TlsClient> TlsFor(std::shared_ptr<const net::TlsAuthorities> authorities) {
    if (authorities == nullptr) authorities = OfSystem();
    if (authorities == nullptr) return nullptr;
    tls_clients_.ForgetUnused();
    tls_ = tls_clients_.For(std::make_shared<const net::TlsClientPlan>(net::TlsClientPlan{
        .authorities = std::move(authorities), .server_name = {}, .credential = nullptr, .alpn = {"http/1.1"}}));
    return tls_;
  }

  void Keep(std::unique_ptr<Call> call) { own_calls_.push_back(std::move(call)); }
  void LetGo(const Call* call) {
    const auto found = std::ranges::find(own_calls_, call, &std::unique_ptr<Call>::get);
    std::iter_swap(found, own_calls_.end() - 1);
    std::unique_ptr<Call> over = std::move(own_calls_.back());
    own_calls_.pop_back();
    loop.DestroyLater(std::move(over));
  }

  net::EventLoop& loop;

 private:
  std::shared_ptr<const net::TlsAuthorities> OfSystem() {
    if (of_system_ == nullptr) {
      if (auto loaded = net::TlsAuthorities::OfSystem()) of_system_ = std::move(*loaded);
    }
    return of_system_;
  }

  std::vector<Endpoint> name_servers_;
  std::unique_ptr<net::Resolver> resolver_;
  std::vector<char> room_;
  std::shared_ptr<const net::TlsAuthorities> of_system_;
  net::TlsClients tls_clients_;
  std::shared_ptr<net::TlsClient> tls_;  // the last one stays, the others as long as they are used
  std::vector<std::unique_ptr<Call>> own_calls_;
};

// One call from name to answer. It may be destroyed after its client, when it was left to the loop: the destructor
// touches nothing of it.
//
//   kStarting -> kResolving -> kConnecting [-> kSecuring] -> kAnswering -> kDone
//                                |    ^ the next address
//                                v    |
//                              kConnecting failed
class HttpClient::Conversation final : public Call, private net::Task, private net::Timer, private net::StreamEvents {
 public:
  Conversation(Impl& client, Request request, OnAnswer done)
      : client_(client),
        loop_(client.loop),
        request_(std::move(request)),
        done_(std::move(done)),
        reader_(request_.method, request_.content_max),
        deadline_(loop_.now() + request_.timeout) {
    loop_.timers().Schedule(*this, deadline_);
    loop_.RunSoon(*this);
  }
  void SetDone(OnAnswer done) { done_ = std::move(done); }
  ~Conversation() override {
    if (stream_ != nullptr && stream_->open()) stream_->Close(net::Stream::CloseMode::kReset);
  }

 private:
  enum class Phase : std::uint8_t { kStarting, kResolving, kConnecting, kSecuring, kAnswering, kDone };

  void RunTask() override {
    if (phase_ == Phase::kStarting) return Resolve();
    // A stream is not destroyed in its own callbacks: the next address follows here.
    if (phase_ == Phase::kConnecting) ConnectNext();
  }

  void Resolve() {
    phase_ = Phase::kResolving;
    client_.Names().Resolve(request_.url.host, [weak = std::weak_ptr(self_)](const net::ResolveResult& result) {
      if (const auto self = weak.lock()) (*self)->OnResolved(result);
    });
  }

  void OnResolved(const net::ResolveResult& result) {
    if (phase_ != Phase::kResolving) return;
    if (result.addresses.empty()) return Finish(std::unexpected(Failure::kResolve));
    addresses_.assign(
        result.addresses.begin(),
        result.addresses.begin() + static_cast<std::ptrdiff_t>(std::min(result.addresses.size(), kAddressesMax)));
    phase_ = Phase::kConnecting;
    ConnectNext();
  }

  void ConnectNext() {
    while (next_address_ < addresses_.size()) {
      const std::size_t left = addresses_.size() - next_address_;
      int error = 0;
      stream_ = net::TcpStream::Connect(loop_, {addresses_[next_address_++], request_.url.port}, *this, error);
      if (stream_ == nullptr) continue;
      // An address that does not answer leaves the others their share of the time.
      loop_.timers().Schedule(*this, loop_.now() + (deadline_ - loop_.now()) / static_cast<int>(left));
      return;
    }
    Finish(std::unexpected(Failure::kConnect));
  }

  void TryNextAddress() {
    if (next_address_ == addresses_.size()) return Finish(std::unexpected(Failure::kConnect));
    stream_->Close(net::Stream::CloseMode::kReset);
    loop_.RunSoon(*this);
  }

  void OnTimer() override {
    if (phase_ == Phase::kConnecting && next_address_ < addresses_.size()) return TryNextAddress();
    Finish(std::unexpected(Failure::kTimeout));
  }

  void OnConnected(int error) override {
    if (phase_ == Phase::kConnecting) {
      if (error != 0) return TryNextAddress();
      loop_.timers().Schedule(*this, deadline_);
      if (request_.url.tls) return Secure();
    } else if (error != 0) {
      return Finish(std::unexpected(Failure::kTls));
    }
    phase_ = Phase::kAnswering;
    unsent_ = WriteRequest(request_);
    request_.content = {};
    Flush();
  }

  void Secure() {
    phase_ = Phase::kSecuring;
    const auto client = client_.TlsFor(request_.authorities);
    auto secured = client == nullptr ? nullptr : client->SecureAlone(std::move(stream_), request_.url.host, *this);
    if (secured == nullptr) return Finish(std::unexpected(Failure::kTls));
    tls_ = secured.get();
    stream_ = std::move(secured);
    tls_->StartHandshake();
  }

  void Flush() {
    while (sent_ < unsent_.size()) {
      const iovec piece{.iov_base = unsent_.data() + sent_, .iov_len = unsent_.size() - sent_};
      const auto written = stream_->Write({&piece, 1});
      // A server may refuse what it has not read and close: its answer is read all the same.
      if (written.status != net::IoStatus::kOk) return;
      sent_ += written.bytes;
    }
    unsent_ = {};
    sent_ = 0;
  }

  void OnWritable() override {
    if (phase_ == Phase::kAnswering) Flush();
  }

  void OnReadable() override {
    while (phase_ == Phase::kAnswering && stream_->readable()) {
      const std::span<char> room = client_.Room();
      const auto got = stream_->Read(room);
      if (got.status == net::IoStatus::kWouldBlock) return;
      if (got.status != net::IoStatus::kOk) return OnEnd();
      Take(reader_.Take({room.data(), got.bytes}));
    }
  }

  void OnEnd() {
    const bool is_told = !stream_->broken() && (tls_ == nullptr || tls_->got_close_notify());
    if (reader_.has_begun()) return Take(reader_.TakeEnd(is_told));
    // Of TLS 1.3 the server's verdict on the client comes after the handshake.
    const bool by_tls = tls_ != nullptr && !tls_->failure().reason.empty();
    Finish(std::unexpected(by_tls ? Failure::kTls : Failure::kConnect));
  }

  void Take(ResponseReader::State state) {
    switch (state) {
      case ResponseReader::State::kNeedMore:
        return;
      case ResponseReader::State::kDone:
        return Finish(std::move(reader_.response()));
      case ResponseReader::State::kTooLarge:
        return Finish(std::unexpected(Failure::kTooLarge));
      case ResponseReader::State::kMalformed:
        return Finish(std::unexpected(Failure::kMalformed));
    }
  }

  void Finish(Answer answer) {
    phase_ = Phase::kDone;
    Timer::Cancel();
    if (stream_ != nullptr && stream_->open()) {
      stream_->Close(answer ? net::Stream::CloseMode::kGraceful : net::Stream::CloseMode::kReset);
    }
    const OnAnswer done = std::move(done_);
    done(std::move(answer));
  }

  Impl& client_;
  net::EventLoop& loop_;
  Request request_;
  OnAnswer done_;
  ResponseReader reader_;
  SteadyTime deadline_;
  Phase phase_ = Phase::kStarting;
  std::shared_ptr<Conversation*> self_ = std::make_shared<Conversation*>(this);  // for look-ups, which outlive it
  std::vector<IpAddress> addresses_;
  std::size_t next_address_ = 0;
  std::unique_ptr<net::Stream> stream_;
  net::TlsStream* tls_ = nullptr;  // stream_, where it is one
  std::string unsent_;             // the request, until all of it is sent
  std::size_t sent_ = 0;
};

HttpClient::HttpClient(net::EventLoop& loop, std::span<const Endpoint> name_servers)
    : impl_(std::make_unique<Impl>(loop, name_servers)) {}
HttpClient::~HttpClient() = default;

std::unique_ptr<Call> HttpClient::Start(Request request, OnAnswer done) {
  return std::make_unique<Conversation>(*impl_, std::move(request), std::move(done));
}

void HttpClient::Ask(Request request, OnAnswer done) {
  auto call = std::make_unique<Conversation>(*impl_, std::move(request), nullptr);
  call->SetDone([client = impl_.get(), own = call.get(), done = std::move(done)](Answer answer) {
    client->LetGo(own);
    done(std::move(answer));
  });
  impl_->Keep(std::move(call));
}

}  // namespace weir::outbound
