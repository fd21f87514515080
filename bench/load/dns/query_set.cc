#include "bench/load/dns/query_set.h"

#include "base/check.h"
#include "dns/wire/types.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace weir::bench {
namespace {

constexpr std::size_t kQueryHeaderBytes = 12;
constexpr std::uint8_t kRecursionDesired = 0x01;
constexpr std::uint16_t kOptionClientSubnet = 8;

void AppendU16(std::vector<std::uint8_t>& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

// RFC 7871 section 6: as many octets of the address as the prefix needs.
std::vector<std::uint8_t> SubnetOption(const CidrBlock& subnet) {
  std::vector<std::uint8_t> option;
  const std::size_t octets = (subnet.prefix_bits() + 7U) / 8U;
  AppendU16(option, kOptionClientSubnet);
  AppendU16(option, 4 + octets);
  AppendU16(option, subnet.address().is_v4() ? 1 : 2);
  option.push_back(static_cast<std::uint8_t>(subnet.prefix_bits()));
  option.push_back(0);  // scope
  const auto address = subnet.address().bytes().first(octets);
  option.insert(option.end(), address.begin(), address.end());
  return option;
}

// RFC 6891 6.1.2.
std::vector<std::uint8_t> OptRecord(const QueryOptions& options, std::span<const std::uint8_t> data) {
  std::vector<std::uint8_t> record = {0};  // the root
  AppendU16(record, rr::kOpt);
  AppendU16(record, options.bufsize);
  AppendU16(record, 0);  // extended code and version
  AppendU16(record, options.dnssec_ok ? 0x8000U : 0U);
  AppendU16(record, data.size());
  record.insert(record.end(), data.begin(), data.end());
  return record;
}

}  // namespace

QuerySet::QuerySet(std::span<const Question> questions, std::span<const CidrBlock> subnets,
                   const QueryOptions& options) {
  WEIR_CHECK(!questions.empty());
  const bool has_opt = options.edns || options.dnssec_ok || !subnets.empty();
  std::vector<std::uint8_t> message;
  questions_.reserve(questions.size());
  for (const Question& question : questions) {
    message.assign(kQueryHeaderBytes, 0);
    message[2] = options.recursion_desired ? kRecursionDesired : 0;
    message[5] = 1;                 // one question
    message[11] = has_opt ? 1 : 0;  // one additional record
    message.insert(message.end(), question.name.wire().begin(), question.name.wire().end());
    AppendU16(message, question.type);
    AppendU16(message, dns::kClassIn);
    questions_.push_back(Append(message));
  }
  for (const CidrBlock& subnet : subnets) options_.push_back(Append(OptRecord(options, SubnetOption(subnet))));
  if (has_opt && subnets.empty()) options_.push_back(Append(OptRecord(options, {})));
  round_ = std::lcm<std::uint64_t>(questions_.size(), std::max<std::size_t>(1, options_.size()));
}

QuerySet::Piece QuerySet::Append(std::span<const std::uint8_t> bytes) {
  const Piece piece{static_cast<std::uint32_t>(bytes_.size()), static_cast<std::uint32_t>(bytes.size())};
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return piece;
}

std::size_t QuerySet::Put(std::uint64_t turn, std::uint16_t id, std::span<std::uint8_t> out) const {
  const Piece& question = questions_[turn % questions_.size()];
  std::memcpy(out.data(), bytes_.data() + question.offset, question.bytes);
  out[0] = static_cast<std::uint8_t>(id >> 8);
  out[1] = static_cast<std::uint8_t>(id);
  if (options_.empty()) return question.bytes;
  // One further in each round: lists whose lengths share a factor would leave pairs out otherwise.
  const Piece& option = options_.size() == 1 ? options_[0] : options_[(turn + turn / round_) % options_.size()];
  std::memcpy(out.data() + question.bytes, bytes_.data() + option.offset, option.bytes);
  return question.bytes + option.bytes;
}

std::span<const std::uint8_t> QuerySet::question(std::uint32_t index) const {
  const Piece& piece = questions_[index];
  return std::span(bytes_).subspan(piece.offset + kQueryHeaderBytes, piece.bytes - kQueryHeaderBytes);
}

std::uint16_t QuerySet::type(std::uint32_t index) const {
  const auto fixed = question(index).last(4);
  return static_cast<std::uint16_t>(fixed[0] << 8 | fixed[1]);
}

}  // namespace weir::bench
