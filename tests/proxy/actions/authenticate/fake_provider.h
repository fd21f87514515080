#pragma once

#include "proxy/actions/authenticate/provider_query.h"

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace weir::proxy {

// The endpoints of a provider, which answer when a test wants it.
class FakeProvider {
 public:
  struct Asked {
    outbound::Request request;
    outbound::HttpClient::OnAnswer done;
    bool ended = false;  // the call was destroyed
  };
  std::deque<Asked> asked;

  [[nodiscard]] AskProvider Ask() {
    return [this](outbound::Request request, outbound::HttpClient::OnAnswer done) -> std::unique_ptr<outbound::Call> {
      asked.push_back({.request = std::move(request), .done = std::move(done)});
      return std::make_unique<FakeCall>(asked.back());
    };
  }
  // The newest question is answered.
  void Answer(int status, std::string content) const {
    const auto done = asked.back().done;
    done(outbound::Response{.status = status, .fields = {}, .content = std::move(content)});
  }
  void Fail(outbound::Failure failure) const {
    const auto done = asked.back().done;
    done(std::unexpected(failure));
  }
  // Good answers for the user `user-1` of the client `weir`.
  void GiveTokens(std::string_view more = R"(,"expires_in":3600)", std::string_view nonce = {}) const;
  void GiveClaims(std::string_view more = "") const { Answer(200, R"({"sub":"user-1")" + std::string(more) + "}"); }
  [[nodiscard]] std::string Field(std::string_view name) const {
    for (const auto& [key, value] : asked.back().request.fields) {
      if (key == name) return value;
    }
    return {};
  }

 private:
  struct FakeCall final : outbound::Call {
    explicit FakeCall(Asked& asked) : asked_(asked) {}
    ~FakeCall() override { asked_.ended = true; }
    Asked& asked_;
  };
};

}  // namespace weir::proxy
