#include "functions/runtime_api.h"

#include "base/printable.h"
#include "functions/runtime_limits.h"
#include "net/socket.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace weir::functions {
namespace {

constexpr std::size_t kErrorTextMax = 1'024;

// The text of a member; empty when there is none.
std::string_view TextOf(const boost::json::value& value, std::string_view name) {
  const auto* const object = value.if_object();
  const auto* const member = object == nullptr ? nullptr : object->if_contains(name);
  const auto* const text = member == nullptr ? nullptr : member->if_string();
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

}  // namespace

std::string ErrorText(std::string_view content, std::string_view fallback) {
  boost::system::error_code error;
  const auto value = boost::json::parse(content, error);
  std::string text;
  if (error) {
    text = fallback.empty() ? "Unhandled" : fallback;
    if (!content.empty()) text.append(": ").append(content.substr(0, kErrorTextMax));
  } else {
    const auto type = TextOf(value, "errorType");
    const auto message = TextOf(value, "errorMessage");
    text = !type.empty() ? type : fallback.empty() ? "Unhandled" : fallback;
    if (!message.empty()) text.append(": ").append(message);
  }
  return Printable(std::string_view(text).substr(0, kErrorTextMax));
}

Result<std::unique_ptr<RuntimeApi>> RuntimeApi::Listen(net::EventLoop& loop, RuntimeApiEvents& events) {
  auto listening = net::ListenTcp({IpAddress::V4({127, 0, 0, 1}), 0});
  if (!listening) return std::unexpected(listening.error());
  auto api = std::make_unique<RuntimeApi>(loop, std::move(*listening), events);
  if (!api->acceptor_.Start()) return Failure("the event loop takes no further socket");
  return api;
}

RuntimeApi::RuntimeApi(net::EventLoop& loop, UniqueFd listening, RuntimeApiEvents& events)
    : loop_(loop), events_(&events), acceptor_(loop, std::move(listening), *this) {}

bool RuntimeApi::MayAccept() { return connections_.size() < kRuntimeConnectionsMax; }

void RuntimeApi::OnAccepted(std::unique_ptr<net::TcpStream> stream) {
  connections_.push_back(
      std::make_unique<RuntimeConnection>(std::move(stream), static_cast<RuntimeConnectionEvents&>(*this)));
}

void RuntimeApi::OnClosed(RuntimeConnection& connection) {
  const bool lost_next = asking_ == &connection;
  if (lost_next) {
    asking_ = nullptr;
    protocol_.LoseNext();
  }
  const auto found = std::ranges::find(connections_, &connection, &std::unique_ptr<RuntimeConnection>::get);
  loop_.DestroyLater(std::move(*found));
  connections_.erase(found);
  acceptor_.Resume();
  if (lost_next && events_ != nullptr) events_->OnNextLost();
}

void RuntimeApi::OnRequest(RuntimeConnection& connection, RuntimeMessage message) {
  const auto step = protocol_.Take(message.request, message.too_large);
  if (step.answer) {
    connection.Answer(*step.answer);
  } else {
    // The one that asks last waits: the other one has been given up by the function, most likely.
    RuntimeConnection* const other = std::exchange(asking_, &connection);
    if (other != nullptr) other->Answer(RuntimeFault(403, "InvalidStateTransition", "asked again elsewhere"));
  }
  Tell(step.event, std::move(message));
}

void RuntimeApi::Tell(RuntimeProtocol::Event event, RuntimeMessage message) {
  if (events_ == nullptr) return;
  switch (event) {
    case RuntimeProtocol::Event::kNone:
      return;
    case RuntimeProtocol::Event::kReady:
      return events_->OnNext();
    case RuntimeProtocol::Event::kResponse:
      return events_->OnResponse(std::move(message.content));
    case RuntimeProtocol::Event::kError:
      return events_->OnError(ErrorText(message.content, message.error_type));
    case RuntimeProtocol::Event::kTooLarge:
      return events_->OnTooLarge();
    case RuntimeProtocol::Event::kInitError:
      return events_->OnInitError(ErrorText(message.content, message.error_type));
  }
}

void RuntimeApi::Give(RuntimeInvocation invocation) {
  RuntimeConnection* const connection = std::exchange(asking_, nullptr);
  connection->Answer(protocol_.Give(std::move(invocation)));
}

void RuntimeApi::Close() {
  events_ = nullptr;
  asking_ = nullptr;
  acceptor_.Close();
  for (auto& connection : connections_) {
    connection->Close();
    loop_.DestroyLater(std::move(connection));
  }
  connections_.clear();
}

}  // namespace weir::functions
