#include "tests/support/fake_dns_server.h"

#include "net/socket.h"

#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>
#include <utility>

namespace weir::testing {
namespace {

constexpr std::size_t kHeaderBytes = 12;
constexpr unsigned kTypeA = 1;
constexpr unsigned kTypeAaaa = 28;

void Put16(std::string& out, unsigned value) {
  out += static_cast<char>(value >> 8U);
  out += static_cast<char>(value & 0xffU);
}

void Put32(std::string& out, std::uint32_t value) {
  Put16(out, value >> 16U);
  Put16(out, value & 0xffffU);
}

}  // namespace

FakeDnsServer::FakeDnsServer() {
  auto socket = net::BindUdp({IpAddress::V4({127, 0, 0, 1}), 0});
  if (!socket) std::abort();
  socket_ = std::move(*socket);
  endpoint_ = net::LocalEndpoint(socket_.get());
  thread_ = std::thread([this] { Run(); });
}

FakeDnsServer::~FakeDnsServer() {
  stopping_ = true;
  thread_.join();
}

void FakeDnsServer::Set(const std::string& name, std::vector<IpAddress> addresses, std::uint32_t ttl_seconds) {
  const std::lock_guard lock(mutex_);
  entries_[name] = {std::move(addresses), ttl_seconds};
}

void FakeDnsServer::Remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  entries_.erase(name);
}

void FakeDnsServer::Run() {
  while (!stopping_) {
    pollfd ready{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, 20) <= 0) continue;
    char buffer[1500];
    net::SocketAddress from;
    from.size = sizeof(from.storage);
    const auto got = recvfrom(socket_.get(), buffer, sizeof(buffer), 0, from.get(), &from.size);
    if (got < static_cast<long>(kHeaderBytes)) continue;
    ++queries_;
    if (mode_ == Mode::kSilent) continue;
    const std::string answer = Answer(std::string(buffer, static_cast<std::size_t>(got)));
    sendto(socket_.get(), answer.data(), answer.size(), 0, from.get(), from.size);
  }
}

std::string FakeDnsServer::Answer(const std::string& query) const {
  std::string name;
  std::size_t at = kHeaderBytes;
  while (at < query.size() && query[at] != 0) {
    const auto size = static_cast<std::size_t>(query[at]);
    if (!name.empty()) name += '.';
    name += query.substr(at + 1, size);
    at += size + 1;
  }
  const std::size_t question_end = at + 5;
  const unsigned type = static_cast<unsigned char>(query[at + 2]);
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(name);
  const unsigned rcode = mode_ == Mode::kServerFailure ? 2U : found == entries_.end() ? 3U : 0U;
  std::string records;
  unsigned count = 0;
  if (rcode == 0) {
    for (const IpAddress& address : found->second.addresses) {
      if (type != (address.is_v4() ? kTypeA : kTypeAaaa)) continue;
      Put16(records, 0xc00c);  // the name of the question
      Put16(records, type);
      Put16(records, 1);
      Put32(records, found->second.ttl_seconds);
      Put16(records, static_cast<unsigned>(address.bytes().size()));
      for (const std::uint8_t byte : address.bytes()) records += static_cast<char>(byte);
      ++count;
    }
  }
  std::string out = query.substr(0, 2);
  Put16(out, 0x8180U | rcode);  // a response, recursion asked for and given
  Put16(out, 1);
  Put16(out, count);
  Put32(out, 0);
  return out + query.substr(kHeaderBytes, question_end - kHeaderBytes) + records;
}

}  // namespace weir::testing
