#include "tests/proxy/exchange_fixture.h"

#include "base/check.h"
#include "http/head_parser.h"
#include "proxy/routing/routing_table.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <utility>

namespace weir::proxy {
namespace {

// What a piece brings, in memory or in a pipe.
std::string BytesOf(const Content& piece) {
  if (piece.pipe == nullptr) return std::string(piece.bytes);
  std::string bytes((*piece.pipe)->bytes(), '\0');
  const ssize_t got = read((*piece.pipe)->read_end(), bytes.data(), bytes.size());
  (*piece.pipe)->Emptied(static_cast<std::size_t>(got));
  return bytes;
}

}  // namespace

// ---- the client's side

void FakeDownstream::SendInterim(const ResponseMessage& response) {
  EXPECT_EQ(status, 0) << "an interim response after the response";
  EXPECT_EQ(finished, 0);
  interim.push_back(response.status);
}

void FakeDownstream::SendResponse(const ResponseMessage& response, const Content& piece) {
  EXPECT_EQ(status, 0) << "two responses to one request";
  EXPECT_EQ(finished, 0);
  status = response.status;
  fields = response.fields;
  framing = response.framing;
  announced_length = response.announced_length;
  content = BytesOf(piece);
  complete = piece.is_last();
  tunnel = response.opens_tunnel;
}

void FakeDownstream::SendContent(const Content& piece) {
  EXPECT_NE(status, 0) << "content before a head";
  EXPECT_FALSE(complete) << "content after the last";
  EXPECT_EQ(finished, 0);
  content += BytesOf(piece);
  complete = piece.is_last();
}

void FakeDownstream::ResumeRequestContent() {
  EXPECT_TRUE(request_paused) << "resumed what was not paused";
  request_paused = false;
}

void FakeDownstream::AbortResponse() {
  EXPECT_NE(status, 0) << "aborted what had not begun";
  EXPECT_TRUE(!complete || tunnel);
  aborted = true;
}

bool FakeDownstream::ForwardReset(std::uint32_t code) {
  if (!forwards_resets) return false;
  forwarded = code;
  return true;
}

void FakeDownstream::EndWithoutResponse() {
  EXPECT_EQ(status, 0);
  ended_without_response = true;
}

void FakeDownstream::FinishExchange() {
  ++finished;
  EXPECT_EQ(finished, 1) << "finished twice";
  EXPECT_TRUE(complete || aborted || ended_without_response || forwarded) << "finished without an end";
}

// ---- the target's side

void FakeUpstream::Connect() {
  EXPECT_FALSE(released);
  is_connected = true;
  events->OnUpstreamConnected();
}

void FakeUpstream::Fail(ErrorCode code, bool response_began) {
  EXPECT_FALSE(released);
  events->OnUpstreamFailed(code, response_began);
}

void FakeUpstream::Answer(std::uint16_t answer_status, std::string_view piece, ContentEnd end) {
  EXPECT_FALSE(released);
  http::ResponseHead answer;
  answer.status = answer_status;
  if (answer_status == 101) complete = false;  // the client's side of a tunnel
  answer.reason = http::ReasonPhrase(answer_status);
  answer.framing = {.kind = http::FramingKind::kChunked, .content_length = 0};
  events->OnResponse(answer, {.bytes = piece, .pipe = nullptr, .end = end, .trailers = nullptr});
}

void FakeUpstream::Say(std::string_view piece, ContentEnd end) {
  EXPECT_FALSE(released);
  events->OnResponseContent({.bytes = piece, .pipe = nullptr, .end = end, .trailers = nullptr});
}

bool FakeUpstream::SendRequest(const RequestMessage& request, const Content& piece) {
  EXPECT_TRUE(is_connected) << "a request before the connection";
  EXPECT_TRUE(head.empty()) << "a second request on one stream";
  EXPECT_FALSE(released);
  if (fails_to_send) return false;
  head = request.method + " " + request.target;
  fields = request.fields;
  asked_for_websocket = request.asks_for_websocket;
  content = BytesOf(piece);
  complete = piece.is_last();
  return true;
}

void FakeUpstream::SendContent(const Content& piece) {
  EXPECT_FALSE(head.empty()) << "content before the request";
  EXPECT_FALSE(complete) << "content after the last";
  EXPECT_FALSE(released);
  content += BytesOf(piece);
  complete = piece.is_last();
}

void FakeUpstream::Release(Reusable mode) {
  EXPECT_FALSE(released) << "released twice";
  released = true;
  reusable = mode;
}

UpstreamStream* FakeUpstreams::Acquire(const std::shared_ptr<UpstreamEndpoint>& endpoint, Mode mode,
                                       std::chrono::seconds /*idle_timeout*/, UpstreamEvents& events, int& error) {
  Plan plan;
  if (!plans.empty()) {
    plan = plans.front();
    plans.pop_front();
  }
  modes.push_back(mode);
  error = plan.error;
  if (error != 0) {
    ++refused;
    return nullptr;
  }
  auto stream = std::make_unique<FakeUpstream>();
  stream->events = &events;
  stream->endpoint = endpoint->key.endpoint;
  stream->was_reused = plan.reused && mode == Mode::kReuse;
  stream->is_connected = plan.connected && (stream->was_reused || !plan.reused);
  stream->fails_to_send = plan.fails_to_send;
  stream->is_congested = plan.congested;
  streams.push_back(std::move(stream));
  return streams.back().get();
}

// ---- actions

namespace {

class FakeWork final : public ActionWork {
 public:
  FakeWork(const FakeAction& action, FakeAction::Wait& wait) : action_(action), wait_(wait) {}
  ~FakeWork() override { wait_.destroyed = true; }
  FakeWork(const FakeWork&) = delete;
  FakeWork& operator=(const FakeWork&) = delete;

  void Start(const http::RequestHead& head, const ActionHandle& handle) override {
    EXPECT_TRUE(handle.awaited());
    wait_.seen = std::string(head.method) + " " + std::string(head.target);
    wait_.handle = handle;
    if (action_.on_start) action_.on_start(handle);
    EXPECT_FALSE(wait_.destroyed) << "destroyed under its own call";
  }
  void Cancel() override {
    EXPECT_FALSE(wait_.cancelled);
    EXPECT_FALSE(wait_.handle.awaited());
    wait_.cancelled = true;
    if (action_.on_cancel) action_.on_cancel(wait_.handle);
  }

 private:
  const FakeAction& action_;
  FakeAction::Wait& wait_;
};

}  // namespace

ActionOutcome FakeAction::Run(const ActionRequest& request) const {
  if (outcome) {
    if (outcome->kind == ActionOutcome::Kind::kRespond) {
      BuildErrorResponse(401, "today", request.listener.listener_config->attributes, request.worker.generated);
    }
    return *outcome;
  }
  waits.emplace_back();
  return request.Wait(std::make_unique<FakeWork>(*this, waits.back()));
}

// ---- the worker

ExchangeFixture::ExchangeFixture(std::size_t targets, const Clock& clock) : target_count(targets), loop(clock) {
  config::TargetGroup group;
  group.name = "blue";
  model.target_groups.push_back(group);
  config::Listener listener;
  listener.port = 8080;
  listener.default_rule.action = config::ForwardAction{{{.target_group = 0, .weight = 1}}};
  config::LoadBalancer load_balancer;
  load_balancer.name = "shop";
  load_balancer.listeners.push_back(listener);
  model.load_balancers.push_back(load_balancer);
  worker.upstreams = &upstreams;
  worker.access_log = &access_log_;
  facts_.slot = std::make_shared<ListenerSlot>();
  facts_.slot->load_balancer = "shop";
  facts_.slot->bound = *Endpoint::Parse("127.0.0.1:8080");
  facts_.stream = std::make_unique<FakeStream>();
  Publish();
}

void ExchangeFixture::Publish() {
  auto table = RoutingTable::Build(std::make_shared<const config::Model>(model), ++revision_, {}, counters_, nullptr,
                                   nullptr, stickiness_keys);
  WEIR_CHECK(table.has_value());
  auto status = std::make_shared<health::StatusTable>();
  status->groups.resize(model.target_groups.size());
  std::vector<std::vector<TargetHandle>> handles(model.target_groups.size());
  for (std::uint32_t i = 0; i < target_count; ++i) {
    if (targets_.size() == i) {
      health::TargetStatus target;
      target.endpoint = {IpAddress::V4({127, 0, 0, 1}), static_cast<std::uint16_t>(9001 + i)};
      target.state = health::HealthState::kHealthy;
      target.observations = std::make_shared<health::TargetObservations>(1);
      targets_.push_back(target);
    }
    health::TargetStatus& target = targets_[i];
    auto endpoint = std::make_shared<UpstreamEndpoint>();
    endpoint->key.endpoint = target.endpoint;
    if (model.target_groups[0].protocol_version != config::TargetProtocolVersion::kHttp1) {
      endpoint->key.protocol = UpstreamProtocol::kHttp2;
    }
    status->groups[0].targets.push_back(target);
    status->groups[0].routable.push_back(i);
    handles[0].push_back({.endpoint = target.endpoint,
                          .seen = &(*target.observations)[0],
                          .response_time = &(*table)->groups()[0].response_times->At(target.zone, 0),
                          .upstream = endpoint});
  }
  view = std::make_shared<const DataView>(DataView{*table, std::move(status), std::move(handles)});
  worker.selector.Reset(*view->routing, 0);
  worker.stickiness.Reset(*view->routing);
  auto listener = std::make_unique<Listener>(*view->routing->listeners().front());
  if (!leading_actions.empty()) {
    auto& counted = listener->rules.back().leading_actions.edit();
    counted.clear();
    for (const auto& action : leading_actions) {
      counted.push_back({.action = action, .counters = std::make_shared<LeadingActionCountersTable>(1)});
    }
  }
  facts_.slot->view = view;
  facts_.slot->listener = listener.get();
  facts_.slot->counters = &listener->counters->At(facts_.slot->bound.address, 0);
  listeners_.push_back(std::move(listener));
}

const http::RequestHead& ExchangeFixture::Parse(const std::string& head) {
  heads_.push_back(head + "\r\n\r\n");
  std::size_t scanned = 0;
  static_cast<void>(http::ParseRequestHead(heads_.back(), scanned, http::HeadLimits(), worker.request_head));
  worker.request_head.version = version;
  return worker.request_head;
}

Exchange& ExchangeFixture::Begin(FakeDownstream& downstream, const std::string& head, std::string_view content,
                                 ContentEnd end) {
  Exchange& exchange = Exchange::Take(worker);
  exchange.Begin(downstream, facts_, Parse(head), {.bytes = content, .pipe = nullptr, .end = end, .trailers = nullptr});
  return exchange;
}

void ExchangeFixture::ForgetHeads() {
  for (std::string& head : heads_) head.assign(head.size(), '#');
  worker.request_head = {};
}

Exchange& ExchangeFixture::BeginRefused(FakeDownstream& downstream, const std::string& head, ErrorCode code) {
  Exchange& exchange = Exchange::Take(worker);
  exchange.BeginRefused(downstream, facts_, Parse(head), code);
  return exchange;
}

std::uint64_t ExchangeFixture::errors(ErrorCode code) const {
  return facts_.slot->counters->errors[std::to_underlying(code)].value();
}

const GroupCounters& ExchangeFixture::group() const { return (*view->routing->groups().front().counters)[0]; }

std::uint64_t ExchangeFixture::active_requests() const {
  std::uint64_t active = 0;
  for (const auto& target : targets_) active += (*target.observations)[0].active_requests.value();
  return active;
}

}  // namespace weir::proxy
