// A DNS message: what is read of it is bounded and lies inside of it, and a valid query reads as the same query once we
// have written it anew.

#include "base/check.h"
#include "dns/wire/name.h"
#include "dns/wire/query.h"
#include "dns/wire/types.h"
#include "tests/fuzz/fuzz_target.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace {

using weir::dns::ClientSubnet;
using weir::dns::kHeaderBytes;
using weir::dns::ParseQuery;
using weir::dns::Query;
using Bytes = std::span<const std::uint8_t>;
using Verdict = Query::Verdict;

bool LiesIn(Bytes part, Bytes whole) {
  const std::less_equal<const std::uint8_t*> before;
  return before(whole.data(), part.data()) && before(part.data() + part.size(), whole.data() + whole.size());
}

void CheckName(Bytes name, Bytes message) {
  WEIR_CHECK(LiesIn(name, message));
  WEIR_CHECK(!name.empty() && name.size() <= weir::dns::kNameBytesMax);
  WEIR_CHECK(weir::dns::NameBytes(name) == name.size());
}

void CheckQuestion(const Query& query, Bytes message) {
  CheckName(query.name, message);
  WEIR_CHECK(query.question.data() == message.data() + kHeaderBytes);
  WEIR_CHECK(query.question.size() == query.name.size() + 4);
  WEIR_CHECK(LiesIn(query.question, message));
  WEIR_CHECK(query.name.data() == query.question.data());
  const Bytes numbers = query.question.last(4);
  WEIR_CHECK(query.type == (numbers[0] << 8 | numbers[1]));
  WEIR_CHECK(query.record_class == (numbers[2] << 8 | numbers[3]));
}

void CheckSubnet(const ClientSubnet& subnet) {
  WEIR_CHECK(subnet.family <= 2);
  if (subnet.family == 0) WEIR_CHECK(subnet.source_bits == 0);
  if (subnet.family == 0) return;
  WEIR_CHECK(subnet.address.is_v4() == (subnet.family == 1));
  const Bytes address = subnet.address.bytes();
  WEIR_CHECK(subnet.source_bits <= address.size() * 8);
  for (std::size_t bit = subnet.source_bits; bit < address.size() * 8; ++bit) {
    WEIR_CHECK((address[bit / 8] & (0x80U >> (bit % 8))) == 0);
  }
}

void CheckEdns(const Query& query) {
  WEIR_CHECK(query.udp_payload_bytes >= 512);
  if (query.client_subnet) CheckSubnet(*query.client_subnet);
  if (query.has_edns) return;
  WEIR_CHECK(query.udp_payload_bytes == 512);
  WEIR_CHECK(!query.dnssec_ok && !query.wants_name_server_id && !query.wants_keepalive && !query.client_subnet);
}

void CheckSignature(const Query& query, Bytes message) {
  if (!query.signature) return;
  CheckName(query.signature->owner, message);
  CheckName(query.signature->algorithm, message);
  WEIR_CHECK(query.signature->time.size() == 6);
  WEIR_CHECK(LiesIn(query.signature->time, message));
}

class MessageBytes {
 public:
  void U8(std::size_t value) { bytes.push_back(static_cast<std::uint8_t>(value)); }
  void U16(std::size_t value) {
    U8(value >> 8U);
    U8(value & 0xFFU);
  }
  void Put(Bytes part) { bytes.insert(bytes.end(), part.begin(), part.end()); }
  std::vector<std::uint8_t> bytes;
};

MessageBytes Options(const Query& query) {
  MessageBytes out;
  if (query.wants_name_server_id) {
    out.U16(3);
    out.U16(0);
  }
  if (query.client_subnet) {
    const std::size_t octets = (query.client_subnet->source_bits + 7U) / 8U;
    out.U16(8);
    out.U16(4 + octets);
    out.U16(query.client_subnet->family);
    out.U8(query.client_subnet->source_bits);
    out.U8(0);
    out.Put(query.client_subnet->address.bytes().first(octets));
  }
  if (query.wants_keepalive) {
    out.U16(11);
    out.U16(0);
  }
  return out;
}

MessageBytes Rewrite(const Query& query) {
  MessageBytes out;
  out.U16(query.id);
  out.U8(query.recursion_desired ? 1 : 0);
  out.U8(query.checking_disabled ? 0x10 : 0);
  for (const std::size_t count : {1U, 0U, 0U, query.has_edns ? 1U : 0U}) out.U16(count);
  out.Put(query.question);
  if (!query.has_edns) return out;
  const MessageBytes options = Options(query);
  out.U8(0);
  out.U16(weir::rr::kOpt);
  out.U16(query.udp_payload_bytes);
  out.U16(query.verdict == Verdict::kBadVersion ? 1 : 0);
  out.U16(query.dnssec_ok ? 0x8000 : 0);
  out.U16(options.bytes.size());
  out.Put(options.bytes);
  return out;
}

void CheckRewritten(const Query& query) {
  const MessageBytes rewritten = Rewrite(query);
  const Query again = ParseQuery(rewritten.bytes);
  WEIR_CHECK(again.verdict == query.verdict);
  WEIR_CHECK(again.id == query.id);
  WEIR_CHECK(again.recursion_desired == query.recursion_desired);
  WEIR_CHECK(again.checking_disabled == query.checking_disabled);
  WEIR_CHECK(std::ranges::equal(again.question, query.question));
  WEIR_CHECK(again.has_edns == query.has_edns);
  WEIR_CHECK(again.udp_payload_bytes == query.udp_payload_bytes);
  WEIR_CHECK(again.dnssec_ok == query.dnssec_ok);
  if (query.verdict == Verdict::kBadVersion) return;
  WEIR_CHECK(again.wants_name_server_id == query.wants_name_server_id);
  WEIR_CHECK(again.wants_keepalive == query.wants_keepalive);
  WEIR_CHECK(again.client_subnet.has_value() == query.client_subnet.has_value());
  if (!query.client_subnet) return;
  WEIR_CHECK(again.client_subnet->family == query.client_subnet->family);
  WEIR_CHECK(again.client_subnet->source_bits == query.client_subnet->source_bits);
  WEIR_CHECK(again.client_subnet->address == query.client_subnet->address);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes message(data, size);
  const Query query = ParseQuery(message);
  const bool is_query = size >= kHeaderBytes && (data[2] & 0x80U) == 0;
  WEIR_CHECK((query.verdict == Verdict::kDrop) == !is_query);
  if (!is_query) return 0;
  WEIR_CHECK(query.id == (data[0] << 8 | data[1]));
  WEIR_CHECK((query.verdict == Verdict::kNotImp) == (query.opcode != 0));
  if (query.has_question) CheckQuestion(query, message);
  CheckEdns(query);
  CheckSignature(query, message);
  if (query.verdict != Verdict::kValid && query.verdict != Verdict::kBadVersion) return 0;
  WEIR_CHECK(query.has_question);
  CheckRewritten(query);
  return 0;
}
