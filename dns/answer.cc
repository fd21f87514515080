#include "dns/answer.h"

#include "dns/answer_writer.h"
#include "dns/edns.h"
#include "dns/rrset.h"
#include "dns/server_cookie.h"
#include "dns/wire/name.h"
#include "dns/zone/lookahead.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <ctime>
#include <memory>
#include <type_traits>
#include <utility>

namespace weir::dns {
namespace {

constexpr std::uint16_t kFlagResponse = 0x8000;
constexpr std::uint16_t kFlagAuthoritative = 0x0400;
constexpr std::uint16_t kFlagRecursionDesired = 0x0100;
constexpr std::uint16_t kFlagCheckingDisabled = 0x0010;

// RFC 8482 4.2: what ANY gets instead of everything. A value as in Zone::rdata().
constexpr std::array<std::uint8_t, 11> kAnyHinfo = {9, 0, 7, 'R', 'F', 'C', '8', '4', '8', '2', 0};
static_assert(std::endian::native == std::endian::little);
constexpr std::uint32_t kAnyTtlSeconds = 3'600;

static_assert(std::is_trivially_destructible_v<Query>);

bool IsTransfer(std::uint16_t type) { return type == rr::kAxfr || type == rr::kIxfr; }

// The client as routing sees it: EDNS Client Subnet, unless it is empty on purpose, else the resolver.
ClientPlace PlaceOf(const Query& query, const IpAddress& resolver) {
  if (query.client_subnet && query.client_subnet->source_bits > 0) {
    return {true, query.client_subnet->address, query.client_subnet->source_bits};
  }
  const IpAddress address = resolver.Unmapped();
  return {!address.is_wildcard(), address, static_cast<unsigned>(address.bytes().size() * 8)};
}

// The buffer as far as the transport and the client allow.
std::span<std::uint8_t> Allowed(std::span<std::uint8_t> out, const Query& query, Transport transport) {
  const std::size_t allowed =
      transport == Transport::kTcp ? kTcpMessageMax : std::min<std::size_t>(query.udp_payload_bytes, kUdpPayloadMax);
  return out.first(std::min(allowed, out.size()));
}

}  // namespace

// One query on its way to its answer: finds the RRsets, which the writer then puts into the response. Lives on the
// stack of Answerer::Answer.
class AnswerSearch {
 public:
  AnswerSearch(Answerer& answerer, const ClientQuery& client, std::span<std::uint8_t> out, SelectionTrace* trace)
      : answerer_(answerer),
        query_(answerer.query_),
        name_(answerer.name_),
        sections_(answerer.sections_),
        client_(client),
        writer_(query_, Allowed(out, query_, client.transport), NameServerId()),
        trace_(trace) {}

  AnswerReport Run();

 private:
  // Where a name has its owner: in the question, in the zone, or in a CNAME that led there.
  struct Owner {
    std::span<const std::uint8_t> wire;
    std::uint16_t at = 0;  // where the message has it; 0: nowhere yet
  };
  enum class Step : std::uint8_t { kDone, kFollow };

  void AnswerQuestion();
  void AnswerFromZone();
  // Answers at the current name; kFollow: there was a CNAME, name_ is its target, and `owner` as well.
  Step AnswerName(std::uint32_t node, Owner& owner);
  // Each of these gathers what its section gets. False: there are no values.
  bool AddAnswer(const Group& group, const Owner& owner);
  void AddAnyAnswer(const Owner& owner);
  void AddReferral(std::uint32_t node);
  void AddNegative(Rcode rcode);
  void AddServerAddresses(const Group& servers);
  bool AddAddresses(std::uint32_t node, std::uint16_t type);
  [[nodiscard]] RrsetValues ValuesOf(const RdataList& list) const {
    return {zone().rdata() + list.offset, list.count, 0};
  }
  [[nodiscard]] bool IsLoop() const;
  bool FollowCname(Owner& owner);
  // Points into this object.
  [[nodiscard]] EdnsAnswer Edns();
  [[nodiscard]] const ZoneSet& zones() const { return *answerer_.zones_; }
  // Of the question, once it is found.
  [[nodiscard]] const Zone& zone() const { return *place_->zone; }
  [[nodiscard]] std::string_view NameServerId() const {
    if (!query_.wants_name_server_id || answerer_.zones_ == nullptr) return {};
    const auto& dns = zones().model().dns;
    return dns ? std::string_view(dns->nsid) : std::string_view();
  }

  Cookie cookie_;  // set where the query has one
  Answerer& answerer_;
  const Query& query_;
  HashedName& name_;
  AnswerSections& sections_;
  const ClientQuery& client_;
  AnswerWriter writer_;
  SelectionTrace* trace_;
  const ZonePlace* place_ = nullptr;  // of report_.zone
  AnswerReport report_;
  std::uint16_t flags_ = 0;
  unsigned scope_bits_ = 0;
  // The first followed_count_ are set: hashes of the names whose CNAME is in the answer.
  std::array<std::uint64_t, kCnameChainMax> followed_;
  std::size_t followed_count_ = 0;
};

AnswerReport AnswerSearch::Run() {
  std::uint16_t header = static_cast<std::uint16_t>(kFlagResponse | query_.opcode << 11);
  if (query_.verdict == Query::Verdict::kNotImp) {
    // Nothing is known about the other bits and sections of another opcode.
    writer_.PutHeader(header);
    report_.rcode = Rcode::kNotImp;
    report_.size = writer_.Finish(0, report_.rcode);
    return report_;
  }
  if (query_.recursion_desired) header |= kFlagRecursionDesired;
  if (query_.checking_disabled) header |= kFlagCheckingDisabled;
  writer_.PutHeader(header);
  if (query_.has_question) {
    report_.type = query_.type;
    name_.Assign(query_.name);
    writer_.PutQuestion(name_);
  }
  AnswerQuestion();
  report_.answer_count = writer_.answer_count();
  if (query_.has_edns || query_.signature) writer_.PutEnd(Edns());
  report_.truncated = writer_.truncated();
  report_.size = writer_.Finish(flags_, report_.rcode);
  return report_;
}

void AnswerSearch::AnswerQuestion() {
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
  report_.zone = zones().FindZone(name_, query_.type == rr::kDs);
  if (!report_.zone) return;
  place_ = &zones().place(*report_.zone);
  report_.rcode = Rcode::kNoError;
  flags_ |= kFlagAuthoritative;
  AnswerFromZone();
  writer_.Put(sections_);
}

void AnswerSearch::AnswerFromZone() {
  Owner owner{name_.wire(), AnswerWriter::QuestionNameAt(0)};
  while (true) {
    const NodeMatch match = zone().FindNode(name_, query_.type == rr::kDs);
    switch (match.kind) {
      case NodeMatch::Kind::kNone:
        // Of a chain that ends nowhere, too: the code is that of the last name (RFC 6604 section 3).
        AddNegative(Rcode::kNxDomain);
        return;
      case NodeMatch::Kind::kDelegation:
        AddReferral(match.node);
        return;
      case NodeMatch::Kind::kFound:
        break;
    }
    if (AnswerName(match.node, owner) == Step::kDone) return;
  }
}

AnswerSearch::Step AnswerSearch::AnswerName(std::uint32_t node, Owner& owner) {
  const Group* cname = zone().FindCname(node);
  if (query_.type == rr::kAny && cname == nullptr) {
    if (zone().node(node).group_count == 0) {
      AddNegative(Rcode::kNoError);
    } else {
      AddAnyAnswer(owner);
    }
    return Step::kDone;
  }
  if (cname != nullptr && IsLoop()) return Step::kDone;
  const Group* group = cname != nullptr ? cname : zone().FindGroup(node, query_.type);
  if (group == nullptr || !AddAnswer(*group, owner)) {
    AddNegative(Rcode::kNoError);
    return Step::kDone;
  }
  if (cname != nullptr && query_.type != rr::kCname && query_.type != rr::kAny) {
    // Another draw may lead to an answer with a narrower scope, but to none that is narrower than the client's network.
    if (cname->draws_by_client) scope_bits_ = std::max(scope_bits_, PlaceOf(query_, client_.client).prefix_bits);
    return FollowCname(owner) ? Step::kFollow : Step::kDone;
  }
  // At the apex addresses are a courtesy: left out when there is no room.
  if (group->type == rr::kNs) AddServerAddresses(*group);
  return Step::kDone;
}

bool AnswerSearch::AddAnswer(const Group& group, const Owner& owner) {
  RecordSelector& selector = answerer_.selector_;
  const Selection selection = selector.Select(*place_, group, PlaceOf(query_, client_.client), trace_);
  scope_bits_ = std::max(scope_bits_, selection.scope_bits);
  const std::size_t lists = selection.list_count;
  const auto is_empty = [](const RdataList& list) { return list.count == 0; };
  if (std::ranges::all_of(std::span(selection.lists).first(lists), is_empty)) return false;
  Rrset& rrset = sections_.answer.Add(group.type, selection.ttl_seconds);
  rrset.set_owner(owner.wire, owner.at);
  // Values, and the members of a multivalue answer, in an order that changes: clients tend to take the first.
  const bool rotate = !selector.deterministic();
  const std::size_t first_list = rotate && lists > 1 ? selector.random().Below(lists) : 0;
  for (std::size_t i = 0; i < lists; ++i) {
    const RdataList& list = selection.lists[(first_list + i) % lists];
    const auto first = rotate && list.count > 1 ? static_cast<std::uint32_t>(selector.random().Below(list.count)) : 0U;
    rrset.AddPart({selection.rdata + list.offset, list.count, first});
  }
  return true;
}

void AnswerSearch::AddAnyAnswer(const Owner& owner) {
  Rrset& rrset = sections_.answer.Add(rr::kHinfo, kAnyTtlSeconds);
  rrset.set_owner(owner.wire, owner.at);
  rrset.AddPart({kAnyHinfo.data(), 1, 0});
}

// True when the CNAME of this name is in the answer already.
bool AnswerSearch::IsLoop() const {
  const auto seen = std::span(followed_).first(followed_count_);
  return std::ranges::find(seen, name_.suffix_hash(name_.labels())) != seen.end();
}

// Goes on to the target of the CNAME that is last in the answer. True when it may be answered in this response: it lies
// in the same zone and the chain is not too long.
bool AnswerSearch::FollowCname(Owner& owner) {
  if (followed_count_ == kCnameChainMax) return false;
  followed_[followed_count_++] = name_.suffix_hash(name_.labels());
  owner = {sections_.answer.view().back().first_value(), 0};
  name_.Assign(owner.wire);
  return zones().FindZone(name_, query_.type == rr::kDs) == report_.zone;
}

void AnswerSearch::AddReferral(std::uint32_t node) {
  report_.referral = true;
  // What a CNAME led to is not ours, but the CNAME is.
  if (sections_.answer.empty()) flags_ = static_cast<std::uint16_t>(flags_ & ~kFlagAuthoritative);
  const Group& servers = *zone().FindGroup(node, rr::kNs);
  const Member& member = zone().members_of(servers)[0];
  Rrset& rrset = sections_.authority.Add(rr::kNs, member.ttl_seconds);
  rrset.set_owner(zone().name_of(zone().node(node)), 0);
  rrset.AddPart(ValuesOf(member.values));
  // Glue of servers inside the child is needed to get there.
  sections_.additional_is_needed = true;
  AddServerAddresses(servers);
}

// The SOA with the TTL that negative answers have (RFC 2308 section 5).
void AnswerSearch::AddNegative(Rcode rcode) {
  report_.rcode = rcode;
  const ZoneApex& apex = zone().apex();
  Rrset& rrset = sections_.authority.Add(rr::kSoa, apex.negative_ttl_seconds);
  // The end of the question, unless a CNAME led elsewhere.
  const std::size_t before_apex = name_.label_offset(name_.labels() - apex.labels);
  rrset.set_owner(zone().name_of(zone().node(apex.node)),
                  followed_count_ == 0 ? AnswerWriter::QuestionNameAt(before_apex) : std::uint16_t{0});
  rrset.AddPart(ValuesOf(apex.soa));
}

// Addresses of name servers as far as the zone has them.
void AnswerSearch::AddServerAddresses(const Group& servers) {
  const RrsetValues values = ValuesOf(zone().members_of(servers)[0].values);
  const std::uint8_t* at = values.begin;
  for (std::uint32_t i = 0; i < values.count; ++i) {
    answerer_.server_.Assign(NextValue(at));
    const auto node = zone().FindExact(answerer_.server_);
    if (node && !(AddAddresses(*node, rr::kA) && AddAddresses(*node, rr::kAaaa))) return;
  }
}

// False: no more have room.
bool AnswerSearch::AddAddresses(std::uint32_t node, std::uint16_t type) {
  const Group* addresses = zone().FindGroup(node, type);
  if (addresses == nullptr) return true;
  if (sections_.additional.full() && !writer_.Put(sections_)) return false;
  const Selection selection = answerer_.selector_.Select(*place_, *addresses, PlaceOf(query_, client_.client), nullptr);
  Rrset& rrset = sections_.additional.Add(type, selection.ttl_seconds);
  rrset.set_owner(zone().name_of(zone().node(node)), 0);
  for (const RdataList& list : std::span(selection.lists).first(selection.list_count)) {
    rrset.AddPart({selection.rdata + list.offset, list.count, 0});
  }
  return true;
}

EdnsAnswer AnswerSearch::Edns() {
  if (!query_.cookie.empty()) {
    const CookieSecret& secret = answerer_.zones_ == nullptr ? OwnCookieSecret() : zones().cookie_secret();
    cookie_ = AnswerCookie(query_.cookie, client_.client, secret, answerer_.unix_seconds_());
  }
  return {
      .name_server_id = NameServerId(),
      .idle_timeout = client_.transport == Transport::kTcp ? answerer_.tcp_idle_timeout_ : std::chrono::milliseconds(0),
      .cookie = query_.cookie.empty() ? std::span<const std::uint8_t>() : std::span<const std::uint8_t>(cookie_),
      .rcode = report_.rcode,
      .scope_bits = scope_bits_};
}

std::uint32_t SystemUnixSeconds() { return static_cast<std::uint32_t>(std::time(nullptr)); }

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
  return AnswerSearch(*this, query, out, trace).Run();
}

}  // namespace weir::dns
