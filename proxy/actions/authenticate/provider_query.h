#pragma once

#include "net/event_loop.h"
#include "outbound/http_client.h"
#include "proxy/actions/authenticate/plan.h"
#include "proxy/actions/authenticate/session.h"
#include "proxy/error.h"

#include <expected>
#include <functional>
#include <memory>
#include <string>

namespace weir::proxy {

// How the provider is asked: outbound::HttpClient::Start of the worker's client.
using AskProvider = std::function<std::unique_ptr<outbound::Call>(outbound::Request, outbound::HttpClient::OnAnswer)>;

// What the token endpoint is asked for.
struct TokenGrant {
  // Of a login: the code of the provider's answer, and what the login began with.
  std::string code = {};
  std::string redirect_uri = {};
  std::string nonce = {};
  std::string verifier = {};
  // Else: the refresh token, and who the session is of.
  std::string refresh_token = {};
  std::string identity = {};
  [[nodiscard]] bool is_refresh() const { return !refresh_token.empty(); }
};

// Asks the token endpoint, then the user info endpoint with the token that it gave: 5 s each. Destroying it ends it.
// Thread: that of the loop.
class ProviderQuery final : public net::Deferred {
 public:
  // The session without its end, which is not the provider's affair; else why there is none.
  using Outcome = std::expected<UserSession, ErrorCode>;
  using OnDone = std::function<void(Outcome)>;

  // `done` is called once, never before Start returns, and may give the query to EventLoop::DestroyLater.
  ProviderQuery(net::EventLoop& loop, std::shared_ptr<const AuthenticationPlan> plan, TokenGrant grant, OnDone done);
  ~ProviderQuery() override = default;
  ProviderQuery(const ProviderQuery&) = delete;
  ProviderQuery& operator=(const ProviderQuery&) = delete;

  void Start(AskProvider ask);

 private:
  void OnTokens(const outbound::Answer& answer);
  void OnUserInfo(const outbound::Answer& answer);
  // Ends the call that is answered, when nothing of it runs any more.
  void EndCall();
  void Finish(Outcome outcome);

  net::EventLoop& loop_;
  std::shared_ptr<const AuthenticationPlan> plan_;
  TokenGrant grant_;
  OnDone done_;
  AskProvider ask_;
  std::unique_ptr<outbound::Call> call_;
  UserSession session_;
};

// The request to the token endpoint: the grant as a form, the client by its name and secret (RFC 6749 2.3.1, 4.1.3, 6).
[[nodiscard]] outbound::Request MakeTokenRequest(const AuthenticationPlan& plan, const TokenGrant& grant);

}  // namespace weir::proxy
