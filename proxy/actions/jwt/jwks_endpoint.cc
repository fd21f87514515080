#include "proxy/actions/jwt/jwks_endpoint.h"

#include "base/check.h"
#include "base/log.h"
#include "proxy/worker_state.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace weir::proxy {
namespace {

// Of one turn: requests that waited are verified now, and the others of the worker shall not notice.
constexpr std::size_t kWokenPerTurnMax = 64;

std::int64_t Nanoseconds(SteadyTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

ErrorCode CodeOf(outbound::Failure failure) {
  switch (failure) {
    case outbound::Failure::kTimeout:
      return ErrorCode::kJwksTimeout;
    case outbound::Failure::kTooLarge:
      return ErrorCode::kJwksTooLarge;
    case outbound::Failure::kMalformed:
      return ErrorCode::kJwksInvalid;
    case outbound::Failure::kResolve:
    case outbound::Failure::kConnect:
    case outbound::Failure::kTls:
      return ErrorCode::kJwksUnreachable;
  }
  std::unreachable();
}

}  // namespace

// Whatever becomes of the call, the endpoint hears of its end: a worker that stops takes its calls with it.
class JwksEndpoint::Fetching {
 public:
  Fetching(std::shared_ptr<JwksEndpoint> endpoint, net::EventLoop& loop)
      : endpoint_(std::move(endpoint)), loop_(loop) {}
  ~Fetching() {
    if (!over_) endpoint_->OnFailed(ErrorCode::kJwtInternalError, std::nullopt);
  }
  Fetching(const Fetching&) = delete;
  Fetching& operator=(const Fetching&) = delete;

  void End(outbound::Answer answer) {
    over_ = true;
    endpoint_->OnAnswer(std::move(answer), loop_.now());
  }

 private:
  std::shared_ptr<JwksEndpoint> endpoint_;
  net::EventLoop& loop_;
  bool over_ = false;
};

void JwksEndpoint::FetchWithClient(WorkerState& worker, outbound::Request request,
                                   outbound::HttpClient::OnAnswer done) {
  WEIR_CHECK(worker.http_client != nullptr);
  worker.http_client->Ask(std::move(request), std::move(done));
}

JwksEndpoint::JwksEndpoint(std::string address, outbound::Url url,
                           std::shared_ptr<const net::TlsAuthorities> authorities, std::size_t workers, Fetch fetch)
    : address_(std::move(address)),
      url_(std::move(url)),
      authorities_(std::move(authorities)),
      fetch_(std::move(fetch)) {
  workers_.reserve(workers);
  for (std::size_t i = 0; i < workers; ++i) workers_.push_back(std::make_unique<Worker>(newest_));
}

JwksEndpoint::~JwksEndpoint() = default;

const TokenKeys& JwksEndpoint::KeysOf(WorkerState& worker) {
  Worker& own = *workers_[worker.worker];
  if (own.newest.Refresh()) own.keys.Set(own.newest.value()->keys);
  const std::shared_ptr<const Ring>& ring = own.newest.value();
  const SteadyTime now = worker.loop.now();
  if (ring == nullptr || now < ring->fetched + kFreshFor) return own.keys;
  if (now >= ring->fetched + kKeptFor) {
    own.keys.Clear();
  } else if (!is_fetching_.load(std::memory_order_relaxed) &&
             Nanoseconds(now) >= retry_at_.load(std::memory_order_relaxed)) {
    std::unique_lock lock(mutex_);
    if (is_fetching_ || number_ != ring->number) return own.keys;
    is_fetching_ = true;
    lock.unlock();
    Begin(worker);
  }
  return own.keys;
}

std::optional<ErrorCode> JwksEndpoint::RefusalAt(const Worker& own, SteadyTime now) const {
  if (is_fetching_) return std::nullopt;
  const bool retries = Nanoseconds(now) >= retry_at_;
  const bool has_keys = own.newest.value() != nullptr && now < own.newest.value()->fetched + kKeptFor;
  if (has_keys ? now >= unknown_key_at_ && retries : retries) return std::nullopt;
  return failure_.value_or(ErrorCode::kJwtSignatureInvalid);
}

std::optional<ErrorCode> JwksEndpoint::Refusal(WorkerState& worker) {
  const std::lock_guard lock(mutex_);
  return RefusalAt(*workers_[worker.worker], worker.loop.now());
}

JwksEndpoint::Wait JwksEndpoint::Await(WorkerState& worker, KeyWaiter& waiter) {
  Worker& own = *workers_[worker.worker];
  bool begins = false;
  {
    const std::lock_guard lock(mutex_);
    const std::uint64_t seen = own.newest.value() == nullptr ? 0 : own.newest.value()->number;
    if (seen != number_) return Wait::kNewKeys;
    if (RefusalAt(own, worker.loop.now())) return Wait::kRefused;
    begins = !is_fetching_;
    is_fetching_ = true;
    if (begins && seen > 0) unknown_key_at_ = worker.loop.now() + kUnknownKeyInterval;
    const std::pair<std::size_t, net::EventLoop*> place{worker.worker, &worker.loop};
    if (std::ranges::find(told_, place) == told_.end()) told_.push_back(place);
  }
  Enlist(waiter, own.waiting);
  if (begins) Begin(worker);
  return Wait::kBegun;
}

void JwksEndpoint::Forget(WorkerState& worker, KeyWaiter& waiter) {
  Worker& own = *workers_[worker.worker];
  Delist(waiter);
  if (!own.waiting.empty()) return;
  // From here on nothing is posted to a loop that may be about to go.
  const std::lock_guard lock(mutex_);
  std::erase_if(told_, [&](const auto& place) { return place.first == worker.worker; });
}

ErrorCode JwksEndpoint::NoteUnknownKey() {
  const std::shared_ptr<const Ring> ring = newest_.Load();
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  if (ring != nullptr) unknown_key_at_ = std::max(unknown_key_at_, ring->fetched + kUnknownKeyInterval);
  return ErrorCode::kJwtSignatureInvalid;
}

void JwksEndpoint::Begin(WorkerState& worker) {
  outbound::Request request;
  request.url = url_;
  request.fields = {{"Accept", "application/json, application/jwk-set+json"}, {"User-Agent", "weir"}};
  request.timeout = kFetchTimeout;
  request.content_max = kContentBytesMax;
  request.authorities = authorities_;
  const auto fetching = std::make_shared<Fetching>(shared_from_this(), worker.loop);
  fetch_(worker, std::move(request), [fetching](outbound::Answer answer) { fetching->End(std::move(answer)); });
}

void JwksEndpoint::OnAnswer(outbound::Answer answer, SteadyTime now) {
  if (!answer) return OnFailed(CodeOf(answer.error()), now);
  if (answer->status < 200 || answer->status > 299) return OnFailed(ErrorCode::kJwksInvalid, now);
  auto keys = ParseKeySet(answer->content);
  if (!keys) {
    const bool too_many = keys.error() == KeySetFault::kTooManyKeys;
    return OnFailed(too_many ? ErrorCode::kJwksTooLarge : ErrorCode::kJwksInvalid, now);
  }
  auto ring = std::make_shared<Ring>();
  ring->fetched = now;
  ring->keys = std::move(*keys);
  const std::lock_guard lock(mutex_);
  ring->number = ++number_;
  newest_.Publish(std::move(ring));
  if (failure_) LogInfo("key set is there again url=" + address_);
  failure_.reset();
  EndFetch();
}

void JwksEndpoint::OnFailed(ErrorCode failure, std::optional<SteadyTime> now) {
  const std::lock_guard lock(mutex_);
  if (now && failure_ != failure) {
    LogWarning("key set cannot be had url=" + address_ + " reason=" + std::string(TraitsOf(failure).reason));
  }
  failure_ = failure;
  unknown_key_at_ = {};
  if (now) retry_at_ = Nanoseconds(*now + kRetryInterval);
  EndFetch();
}

void JwksEndpoint::EndFetch() {
  is_fetching_ = false;
  for (const auto& [worker, loop] : told_) {
    loop->Post([self = shared_from_this(), worker = worker, loop = loop] { self->Wake(worker, *loop); });
  }
  told_.clear();
}

void JwksEndpoint::Wake(std::size_t worker, net::EventLoop& loop) {
  Worker& own = *workers_[worker];
  const bool is_waking = !own.waking.empty();  // the rest follows anyway
  while (!own.waiting.empty()) {
    KeyWaiter& waiter = *own.waiting.back();
    Delist(waiter);
    Enlist(waiter, own.waking);
  }
  if (is_waking) return;
  WakeSome(worker, loop);
}

void JwksEndpoint::WakeSome(std::size_t worker, net::EventLoop& loop) {
  std::vector<KeyWaiter*>& waking = workers_[worker]->waking;
  for (std::size_t i = 0; i < kWokenPerTurnMax && !waking.empty(); ++i) {
    KeyWaiter& waiter = *waking.back();
    Delist(waiter);
    waiter.OnKeys();
  }
  if (waking.empty()) return;
  loop.Post([self = shared_from_this(), worker, &loop] { self->WakeSome(worker, loop); });
}

void JwksEndpoint::Enlist(KeyWaiter& waiter, std::vector<KeyWaiter*>& list) {
  waiter.list_ = &list;
  waiter.index_ = list.size();
  list.push_back(&waiter);
}

void JwksEndpoint::Delist(KeyWaiter& waiter) {
  if (waiter.list_ == nullptr) return;
  std::vector<KeyWaiter*>& list = *std::exchange(waiter.list_, nullptr);
  KeyWaiter* const last = list.back();
  list.pop_back();
  if (last == &waiter) return;
  list[waiter.index_] = last;
  last->index_ = waiter.index_;
}

}  // namespace weir::proxy
