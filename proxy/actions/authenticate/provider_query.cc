#include "proxy/actions/authenticate/provider_query.h"

#include "base/base64.h"
#include "http/form_urlencoded.h"
#include "proxy/actions/authenticate/claims.h"

#include <chrono>
#include <cstddef>
#include <utility>

namespace weir::proxy {
namespace {

constexpr std::chrono::milliseconds kEndpointTimeout{5000};  // spec: alb.md 5.4
// Our choice: what is larger than a session may be told from what is no answer at all.
constexpr std::size_t kAnswerBytesMax = 256 * 1024;

bool IsSuccess(int status) { return status / 100 == 2; }

std::chrono::sys_seconds SecondsNow(const net::EventLoop& loop) {
  return std::chrono::floor<std::chrono::seconds>(loop.wall_now());
}

}  // namespace

outbound::Request MakeTokenRequest(const AuthenticationPlan& plan, const TokenGrant& grant) {
  outbound::Request request;
  request.method = "POST";
  request.url = plan.token_endpoint;
  request.timeout = kEndpointTimeout;
  request.content_max = kAnswerBytesMax;
  request.authorities = plan.authorities;
  request.fields = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  std::string& form = request.content;
  if (grant.is_refresh()) {
    http::AppendFormField(form, "grant_type", "refresh_token");
    http::AppendFormField(form, "refresh_token", grant.refresh_token);
  } else {
    http::AppendFormField(form, "grant_type", "authorization_code");
    http::AppendFormField(form, "code", grant.code);
    http::AppendFormField(form, "redirect_uri", grant.redirect_uri);
    if (!grant.verifier.empty()) http::AppendFormField(form, "code_verifier", grant.verifier);
  }
  if (plan.client_secret.empty()) {
    http::AppendFormField(form, "client_id", plan.config.client_id);
  } else {
    std::string credentials;
    http::AppendFormText(credentials, plan.config.client_id);
    credentials += ':';
    http::AppendFormText(credentials, plan.client_secret);
    request.fields.emplace_back("Authorization", "Basic " + EncodeBase64(credentials));
  }
  return request;
}

ProviderQuery::ProviderQuery(net::EventLoop& loop, std::shared_ptr<const AuthenticationPlan> plan, TokenGrant grant,
                             OnDone done)
    : loop_(loop), plan_(std::move(plan)), grant_(std::move(grant)), done_(std::move(done)) {}

void ProviderQuery::Start(AskProvider ask) {
  ask_ = std::move(ask);
  call_ = ask_(MakeTokenRequest(*plan_, grant_), [this](const outbound::Answer& answer) { OnTokens(answer); });
}

void ProviderQuery::OnTokens(const outbound::Answer& answer) {
  EndCall();
  if (!answer) {
    const bool is_late = answer.error() == outbound::Failure::kTimeout;
    return Finish(std::unexpected(is_late ? ErrorCode::kAuthTokenTimeout : ErrorCode::kAuthTokenFailed));
  }
  if (!IsSuccess(answer->status)) {
    const bool is_grant = answer->status / 100 == 4 && ParseOauthError(answer->content) == "invalid_grant";
    return Finish(std::unexpected(is_grant ? ErrorCode::kAuthInvalidGrant : ErrorCode::kAuthTokenFailed));
  }
  auto tokens = ParseTokenResponse(answer->content);
  if (!tokens) return Finish(std::unexpected(ErrorCode::kAuthInvalidTokenResponse));
  const auto now = SecondsNow(loop_);
  if (!grant_.is_refresh() || !tokens->id_token.empty()) {
    // A refresh need not give an ID token (OpenID Connect Core 12.2); without one nobody has signed in.
    auto subject = CheckIdToken(
        tokens->id_token,
        {.issuer = plan_->config.issuer.text, .client_id = plan_->config.client_id, .nonce = grant_.nonce, .now = now});
    const bool is_other = grant_.is_refresh() && subject != grant_.identity;
    if (!subject || is_other) return Finish(std::unexpected(ErrorCode::kAuthInvalidIdToken));
    session_.identity = std::move(*subject);
  } else {
    session_.identity = grant_.identity;
  }
  session_.access_token = std::move(tokens->access_token);
  // One that is not replaced goes on (RFC 6749 section 6).
  session_.refresh_token = tokens->refresh_token.empty() ? grant_.refresh_token : std::move(tokens->refresh_token);
  if (tokens->expires_in) session_.access_token_expires = now + *tokens->expires_in;

  outbound::Request request;
  request.url = plan_->user_info_endpoint;
  request.timeout = kEndpointTimeout;
  request.content_max = kAnswerBytesMax;
  request.authorities = plan_->authorities;
  request.fields = {{"Authorization", "Bearer " + session_.access_token}, {"Accept", "application/json"}};
  call_ = ask_(std::move(request), [this](const outbound::Answer& info) { OnUserInfo(info); });
}

void ProviderQuery::OnUserInfo(const outbound::Answer& answer) {
  EndCall();
  if (!answer) {
    switch (answer.error()) {
      case outbound::Failure::kTimeout:
        return Finish(std::unexpected(ErrorCode::kAuthUserInfoTimeout));
      case outbound::Failure::kTooLarge:
        return Finish(std::unexpected(ErrorCode::kAuthClaimsTooLarge));
      default:
        return Finish(std::unexpected(ErrorCode::kAuthUserInfoFailed));
    }
  }
  if (!IsSuccess(answer->status)) return Finish(std::unexpected(ErrorCode::kAuthUserInfoFailed));
  const auto subject = SubjectOf(answer->content);
  // It has to be of the same user (OpenID Connect Core 5.3.2).
  if (!subject || *subject != session_.identity) return Finish(std::unexpected(ErrorCode::kAuthInvalidUserInfo));
  if (answer->content.size() + session_.access_token.size() > kClaimsBytesMax) {
    return Finish(std::unexpected(ErrorCode::kAuthClaimsTooLarge));
  }
  session_.claims = answer->content;
  Finish(std::move(session_));
}

void ProviderQuery::EndCall() { loop_.DestroyLater(std::move(call_)); }

void ProviderQuery::Finish(Outcome outcome) {
  const OnDone done = std::move(done_);
  done(std::move(outcome));
}

}  // namespace weir::proxy
