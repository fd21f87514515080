#include "dns/answer.h"

#include "dns/wire/name.h"
#include "dns/wire/writer.h"
#include "dns/zone/lookahead.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

namespace weir::dns {
namespace {

constexpr std::uint16_t kFlagResponse = 0x8000;
constexpr std::uint16_t kFlagAuthoritative = 0x0400;
constexpr std::uint16_t kFlagTruncated = 0x0200;
constexpr std::uint16_t kFlagRecursionDesired = 0x0100;
constexpr std::uint16_t kFlagCheckingDisabled = 0x0010;

constexpr std::uint16_t kOptionNsid = 3;
constexpr std::uint16_t kOptionClientSubnet = 8;
constexpr std::uint16_t kOptionKeepalive = 11;
constexpr std::size_t kOptFixedBytes = 11;
constexpr std::size_t kOptionHeaderBytes = 4;
constexpr std::size_t kNsidBytesMax = 64;  // our choice: a node's name, and small answers stay small
constexpr std::uint16_t kTsigErrorBadKey = 17;
constexpr std::size_t kTsigFixedBytes = 16;  // time, fudge, MAC size, original id, error, other length

// RFC 8482 4.2: what ANY gets instead of everything.
constexpr std::array<std::uint8_t, 9> kAnyHinfo = {7, 'R', 'F', 'C', '8', '4', '8', '2', 0};
constexpr std::uint32_t kAnyTtlSeconds = 3'600;

static_assert(std::is_trivially_destructible_v<Query>);

bool IsTransfer(std::uint16_t type) { return type == rr::kAxfr || type == rr::kIxfr; }

// Calls `put(rdata)` for the values of a list, beginning at value `first` and going round, until it returns false.
template <class Put>
bool ForEachValue(std::span<const std::uint8_t> rdata, const RdataList& list, std::uint32_t first, Put put) {
  std::size_t at = list.offset;
  std::uint16_t size = 0;
  const auto advance = [&] {
    std::memcpy(&size, rdata.data() + at, sizeof(size));
    at += sizeof(size) + size;
    return rdata.subspan(at - size, size);
  };
  for (std::uint32_t i = 0; i < first; ++i) advance();
  for (std::uint32_t i = 0; i < list.count; ++i) {
    if (first + i == list.count) at = list.offset;
    if (!put(advance())) return false;
  }
  return true;
}

// Small pieces put together on the stack: options and the data of a TSIG record.
template <std::size_t N>
class Piece {
 public:
  void U8(std::size_t value) { bytes_[size_++] = static_cast<std::uint8_t>(value); }
  void U16(std::size_t value) {
    U8(value >> 8);
    U8(value & 0xFFU);
  }
  void Bytes(std::span<const std::uint8_t> bytes) {
    std::ranges::copy(bytes, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += bytes.size();
  }
  [[nodiscard]] std::span<const std::uint8_t> view() const { return {bytes_.data(), size_}; }

 private:
  std::array<std::uint8_t, N> bytes_;  // the first size_ are set
  std::size_t size_ = 0;
};

// The client as routing sees it: EDNS Client Subnet, unless it is empty on purpose, else the resolver.
ClientPlace PlaceOf(const Query& query, const IpAddress& resolver) {
  if (query.client_subnet && query.client_subnet->source_bits > 0) {
    return {true, query.client_subnet->address, query.client_subnet->source_bits};
  }
  const IpAddress address = resolver.Unmapped();
  return {!address.is_wildcard(), address, static_cast<unsigned>(address.bytes().size() * 8)};
}

}  // namespace

// One query on its way to one response. Lives on the stack of Answerer::Answer.
class AnswerWriter {
 public:
  AnswerWriter(Answerer& answerer, const ClientQuery& client, std::span<std::uint8_t> out, SelectionTrace* trace)
      : answerer_(answerer),
        query_(answerer.query_),
        name_(answerer.name_),
        client_(client),
        writer_(out.first(SizeMax(out.size())), RecordLimit(SizeMax(out.size()))),
        trace_(trace) {}

  AnswerReport Run();

 private:
  enum class Step : std::uint8_t { kDone, kFollow };

  [[nodiscard]] std::size_t SizeMax(std::size_t buffer) const;
  [[nodiscard]] std::size_t RecordLimit(std::size_t size_max) const;
  [[nodiscard]] std::size_t ReservedBytes() const;
  void AnswerQuestion();
  void AnswerFromZone();
  // Answers at the current name; kFollow: a CNAME was put and name_ is now its target.
  Step AnswerName(std::uint32_t node, const MessageWriter::Owner& owner);
  void PutReferral(std::uint32_t node);
  void PutNegative(Rcode rcode);
  bool PutAnswer(const Group& group, const MessageWriter::Owner& owner);
  bool PutAnyAnswer(const MessageWriter::Owner& owner);
  bool PutAuthority();
  bool PutAdditional(const Group& group);
  void PutEdns();
  void PutSignatureError();
  [[nodiscard]] bool IsLoop() const;
  bool FollowCname(const RdataList& target);
  void Truncate();
  [[nodiscard]] std::size_t SubnetOctets() const { return (query_.client_subnet->source_bits + 7U) / 8U; }
  [[nodiscard]] std::string_view NameServerId() const;

  Answerer& answerer_;
  const Query& query_;
  HashedName& name_;
  const ClientQuery& client_;
  MessageWriter writer_;
  SelectionTrace* trace_;
  AnswerReport report_;
  std::uint16_t flags_ = 0;
  unsigned scope_bits_ = 0;
  MessageWriter::Mark after_question_;
  std::array<std::uint64_t, kCnameChainMax>
      followed_;  // the first followed_count_ are set: hashes of the names whose CNAME was put
  std::size_t followed_count_ = 0;
  RdataList cname_target_;
};

std::string_view AnswerWriter::NameServerId() const {
  if (!query_.wants_name_server_id || answerer_.zones_ == nullptr) return {};
  return std::string_view(answerer_.zones_->model().node.name).substr(0, kNsidBytesMax);
}

// What OPT and TSIG take at the end of the message.
std::size_t AnswerWriter::ReservedBytes() const {
  std::size_t bytes = 0;
  if (query_.has_edns) {
    bytes += kOptFixedBytes;
    if (query_.client_subnet) bytes += kOptionHeaderBytes + 4 + SubnetOctets();
    if (!NameServerId().empty()) bytes += kOptionHeaderBytes + NameServerId().size();
    if (query_.wants_keepalive) bytes += kOptionHeaderBytes + 2;
  }
  if (query_.signature) {
    bytes += query_.signature->owner.size() + 10 + query_.signature->algorithm.size() + kTsigFixedBytes;
  }
  return bytes;
}

// The size that the transport, the client and the buffer allow.
std::size_t AnswerWriter::SizeMax(std::size_t buffer) const {
  const std::size_t allowed = client_.transport == Transport::kTcp
                                  ? kTcpMessageMax
                                  : std::min<std::size_t>(query_.udp_payload_bytes, kUdpPayloadMax);
  return std::min(allowed, buffer);
}

// The same without what is set aside.
std::size_t AnswerWriter::RecordLimit(std::size_t size_max) const {
  const std::size_t reserved = ReservedBytes();
  return size_max > kHeaderBytes + reserved ? size_max - reserved : kHeaderBytes;
}

AnswerReport AnswerWriter::Run() {
  std::uint16_t header = static_cast<std::uint16_t>(kFlagResponse | query_.opcode << 11);
  if (query_.verdict == Query::Verdict::kNotImp) {
    // Nothing is known about the other bits and sections of another opcode.
    writer_.PutHeader(query_.id, header);
    report_.rcode = Rcode::kNotImp;
    report_.size = writer_.Finish(std::to_underlying(Rcode::kNotImp));
    return report_;
  }
  if (query_.recursion_desired) header |= kFlagRecursionDesired;
  if (query_.checking_disabled) header |= kFlagCheckingDisabled;
  writer_.PutHeader(query_.id, header);
  if (query_.has_question) {
    report_.type = query_.type;
    name_.Assign(query_.name);
    if (!writer_.PutQuestion(query_.question, name_)) flags_ |= kFlagTruncated;
  }
  after_question_ = writer_.mark();
  AnswerQuestion();
  report_.answer_count = writer_.count(Section::kAnswer);
  PutEdns();
  PutSignatureError();
  report_.truncated = (flags_ & kFlagTruncated) != 0;
  report_.size = writer_.Finish(static_cast<std::uint16_t>(flags_ | (std::to_underlying(report_.rcode) & 0x0FU)));
  return report_;
}

void AnswerWriter::AnswerQuestion() {
  if (query_.verdict == Query::Verdict::kMalformed) {
    report_.rcode = Rcode::kFormErr;
    return;
  }
  if (query_.verdict == Query::Verdict::kBadVersion) {
    report_.rcode = Rcode::kBadVers;
    return;
  }
  if (query_.signature) {
    report_.rcode = Rcode::kNotAuth;
    return;
  }
  report_.rcode = Rcode::kRefused;
  if (answerer_.zones_ == nullptr || query_.record_class != kClassIn || IsTransfer(query_.type)) return;
  report_.zone = answerer_.zones_->FindZone(name_, query_.type == rr::kDs);
  if (!report_.zone) return;
  report_.rcode = Rcode::kNoError;
  flags_ |= kFlagAuthoritative;
  AnswerFromZone();
}

void AnswerWriter::AnswerFromZone() {
  const ZoneSet& zones = *answerer_.zones_;
  MessageWriter::Owner owner = writer_.question_owner();
  while (true) {
    const NodeMatch match = zones.FindNode(*report_.zone, name_, query_.type == rr::kDs);
    switch (match.kind) {
      case NodeMatch::Kind::kNone:
        // Of a chain that ends nowhere, too: the code is that of the last name (RFC 6604 section 3).
        PutNegative(Rcode::kNxDomain);
        return;
      case NodeMatch::Kind::kDelegation:
        PutReferral(match.node);
        return;
      case NodeMatch::Kind::kFound:
        break;
    }
    if (AnswerName(match.node, owner) == Step::kDone) return;
    owner = {name_.wire(), 0};
  }
}

AnswerWriter::Step AnswerWriter::AnswerName(std::uint32_t node, const MessageWriter::Owner& owner) {
  const ZoneSet& zones = *answerer_.zones_;
  const Group* cname = zones.FindGroup(node, rr::kCname);
  if (query_.type == rr::kAny && cname == nullptr) {
    if (zones.node(node).group_count == 0) {
      PutNegative(Rcode::kNoError);
    } else if (!PutAnyAnswer(owner)) {
      Truncate();
    }
    return Step::kDone;
  }
  const Group* group = cname != nullptr ? cname : zones.FindGroup(node, query_.type);
  if (group == nullptr) {
    PutNegative(Rcode::kNoError);
    return Step::kDone;
  }
  if (cname != nullptr && IsLoop()) return Step::kDone;
  const std::uint16_t before = writer_.count(Section::kAnswer);
  if (!PutAnswer(*group, owner)) {
    Truncate();
    return Step::kDone;
  }
  if (writer_.count(Section::kAnswer) == before) {
    PutNegative(Rcode::kNoError);
    return Step::kDone;
  }
  if (cname != nullptr && query_.type != rr::kCname && query_.type != rr::kAny) {
    // Another draw may lead to an answer with a narrower scope, but to none that is narrower than the client's network.
    if (cname->draws_by_client) scope_bits_ = std::max(scope_bits_, PlaceOf(query_, client_.client).prefix_bits);
    return FollowCname(cname_target_) ? Step::kFollow : Step::kDone;
  }
  // At the apex addresses are a courtesy: left out when there is no room.
  const MessageWriter::Mark before_additional = writer_.mark();
  if (group->type == rr::kNs && !PutAdditional(*group)) writer_.Rewind(before_additional);
  return Step::kDone;
}

// SelectRecords and their place in the answer section. False: no room.
bool AnswerWriter::PutAnswer(const Group& group, const MessageWriter::Owner& owner) {
  RecordSelector& selector = answerer_.selector_;
  const Selection selection = selector.Select(group, PlaceOf(query_, client_.client), trace_);
  scope_bits_ = std::max(scope_bits_, selection.scope_bits);
  const auto rdata = answerer_.zones_->rdata();
  const std::size_t lists = selection.list_count;
  // Values, and the members of a multivalue answer, in an order that changes: clients tend to take the first.
  const bool rotate = !selector.deterministic();
  const std::size_t first_list = rotate && lists > 1 ? selector.random().Below(lists) : 0;
  for (std::size_t i = 0; i < lists; ++i) {
    const RdataList& list = selection.lists[(first_list + i) % lists];
    const auto first = rotate && list.count > 1 ? static_cast<std::uint32_t>(selector.random().Below(list.count)) : 0U;
    const bool fits = ForEachValue(rdata, list, first, [&](std::span<const std::uint8_t> value) {
      return writer_.PutRecord(Section::kAnswer, owner, group.type, selection.ttl_seconds, value);
    });
    if (!fits) return false;
    cname_target_ = list;
  }
  return true;
}

bool AnswerWriter::PutAnyAnswer(const MessageWriter::Owner& owner) {
  return writer_.PutRecord(Section::kAnswer, owner, rr::kHinfo, kAnyTtlSeconds, kAnyHinfo);
}

// True when the CNAME of this name is in the answer already.
bool AnswerWriter::IsLoop() const {
  const auto seen = std::span(followed_).first(followed_count_);
  return std::ranges::find(seen, name_.suffix_hash(name_.labels())) != seen.end();
}

// True when the target may be answered in this response: it lies in the same zone and the chain is not too long.
bool AnswerWriter::FollowCname(const RdataList& target) {
  const ZoneSet& zones = *answerer_.zones_;
  if (followed_count_ == kCnameChainMax) return false;
  followed_[followed_count_++] = name_.suffix_hash(name_.labels());
  ForEachValue(zones.rdata(), target, 0, [this](std::span<const std::uint8_t> value) {
    name_.Assign(value);
    return false;
  });
  return zones.FindZone(name_, query_.type == rr::kDs) == report_.zone;
}

void AnswerWriter::PutReferral(std::uint32_t node) {
  const ZoneSet& zones = *answerer_.zones_;
  report_.referral = true;
  // What a CNAME led to is not ours, but the CNAME is.
  if (writer_.count(Section::kAnswer) == 0) flags_ = static_cast<std::uint16_t>(flags_ & ~kFlagAuthoritative);
  const Group& servers = *zones.FindGroup(node, rr::kNs);
  const auto members = zones.members_of(servers);
  const MessageWriter::Owner owner{zones.name_of(zones.node(node)), 0};
  const bool fits = ForEachValue(zones.rdata(), members[0].values, 0, [&](std::span<const std::uint8_t> value) {
    return writer_.PutRecord(Section::kAuthority, owner, rr::kNs, members[0].ttl_seconds, value);
  });
  // Glue of servers inside the child is needed to get there: TC when it does not fit (RFC 9471).
  if (!fits || !PutAdditional(servers)) Truncate();
}

void AnswerWriter::PutNegative(Rcode rcode) {
  report_.rcode = rcode;
  if (!PutAuthority()) Truncate();
}

// The SOA with the TTL that negative answers have (RFC 2308 section 5).
bool AnswerWriter::PutAuthority() {
  const ZoneSet& zones = *answerer_.zones_;
  const ZoneApex& apex = zones.zone(*report_.zone);
  MessageWriter::Owner owner{zones.name_of(zones.node(apex.node)), 0};
  // The end of the question, unless a CNAME led elsewhere.
  if (followed_count_ == 0) {
    const std::size_t before_apex = name_.label_offset(name_.labels() - apex.labels);
    owner.pointer = static_cast<std::uint16_t>(kHeaderBytes + before_apex);
  }
  return ForEachValue(zones.rdata(), apex.soa, 0, [&](std::span<const std::uint8_t> value) {
    return writer_.PutRecord(Section::kAuthority, owner, rr::kSoa, apex.negative_ttl_seconds, value);
  });
}

// Addresses of the name servers of `group` as far as the zone has them. False: some did not fit.
bool AnswerWriter::PutAdditional(const Group& group) {
  const ZoneSet& zones = *answerer_.zones_;
  const Member& servers = zones.members_of(group)[0];
  return ForEachValue(zones.rdata(), servers.values, 0, [&](std::span<const std::uint8_t> server) {
    answerer_.glue_name_.Assign(server);
    const auto node = zones.FindExact(*report_.zone, answerer_.glue_name_);
    if (!node) return true;
    const MessageWriter::Owner owner{answerer_.glue_name_.wire(), 0};
    for (const std::uint16_t type : {rr::kA, rr::kAaaa}) {
      const Group* addresses = zones.FindGroup(*node, type);
      if (addresses == nullptr) continue;
      const Selection selection = answerer_.selector_.Select(*addresses, PlaceOf(query_, client_.client), nullptr);
      for (const RdataList& list : std::span(selection.lists).first(selection.list_count)) {
        const bool fits = ForEachValue(zones.rdata(), list, 0, [&](std::span<const std::uint8_t> value) {
          return writer_.PutRecord(Section::kAdditional, owner, type, selection.ttl_seconds, value);
        });
        if (!fits) return false;
      }
    }
    return true;
  });
}

// RFC 2181 section 9: TC, and nothing that could be taken for the whole answer.
void AnswerWriter::Truncate() {
  writer_.Rewind(after_question_);
  flags_ |= kFlagTruncated;
}

void AnswerWriter::PutEdns() {
  if (!query_.has_edns) return;
  Piece<kOptionHeaderBytes * 3 + 4 + 16 + kNsidBytesMax + 2> options;
  if (query_.verdict != Query::Verdict::kBadVersion) {
    if (query_.client_subnet) {
      const ClientSubnet& subnet = *query_.client_subnet;
      // Scope 0 where the answer is the same for everybody (RFC 7871 7.2.1). One that a policy makes has its scope even
      // when it is negative: with 0 a cache would keep "no data" for those who have some (7.4 leaves this open).
      const bool tailored = subnet.source_bits > 0;
      options.U16(kOptionClientSubnet);
      options.U16(4 + SubnetOctets());
      options.U16(subnet.family);
      options.U8(subnet.source_bits);
      options.U8(tailored ? scope_bits_ : 0);
      options.Bytes(subnet.address.bytes().first(SubnetOctets()));
    }
    if (const auto id = NameServerId(); !id.empty()) {
      options.U16(kOptionNsid);
      options.U16(id.size());
      options.Bytes({reinterpret_cast<const std::uint8_t*>(id.data()), id.size()});
    }
    const auto idle = std::chrono::duration_cast<std::chrono::milliseconds>(answerer_.tcp_idle_timeout_).count();
    if (query_.wants_keepalive && client_.transport == Transport::kTcp && idle > 0) {
      options.U16(kOptionKeepalive);
      options.U16(2);
      options.U16(static_cast<std::size_t>(std::min<std::int64_t>(idle / 100, 0xFFFF)));
    }
  }
  constexpr std::uint8_t kRoot = 0;
  const std::uint32_t ttl =
      static_cast<std::uint32_t>(std::to_underlying(report_.rcode)) >> 4 << 24 | (query_.dnssec_ok ? 0x8000U : 0U);
  // Room was set aside; only a buffer below the documented size has none.
  static_cast<void>(
      writer_.PutRaw(std::span(&kRoot, 1), rr::kOpt, static_cast<std::uint16_t>(kUdpPayloadMax), ttl, options.view()));
}

// RFC 8945 5.2.1: a key that is not known is answered NOTAUTH, with BADKEY and no MAC.
void AnswerWriter::PutSignatureError() {
  if (!query_.signature || report_.rcode != Rcode::kNotAuth) return;
  constexpr std::uint16_t kFudgeSeconds = 300;
  Piece<kNameBytesMax + kTsigFixedBytes> data;
  data.Bytes(query_.signature->algorithm);
  data.Bytes(query_.signature->time);
  data.U16(kFudgeSeconds);
  data.U16(0);  // MAC size
  data.U16(query_.id);
  data.U16(kTsigErrorBadKey);
  data.U16(0);  // other length
  static_cast<void>(writer_.PutRaw(query_.signature->owner, rr::kTsig, kClassAny, 0, data.view()));
}

Answerer::Answerer(std::uint64_t seed) : selector_(seed) {}

void Answerer::SetView(std::shared_ptr<const ZoneSet> zones, std::shared_ptr<const health::StatusTable> status) {
  const bool zones_changed = zones != zones_;
  selector_.SetView(*zones, *status, zones_changed);
  zones_ = std::move(zones);
  status_ = std::move(status);
}

void Answerer::Expect(std::span<const std::span<const std::uint8_t>> messages) const {
  if (zones_ != nullptr && zones_->outgrows_caches()) ReadAhead(*zones_, messages);
}

AnswerReport Answerer::Answer(const ClientQuery& query, std::span<std::uint8_t> out, SelectionTrace* trace) {
  // In place: a copy would cost as much as the parsing.
  std::construct_at(&query_, ParseQuery(query.message));
  if (query_.verdict == Query::Verdict::kDrop) return {};
  return AnswerWriter(*this, query, out, trace).Run();
}

}  // namespace weir::dns
