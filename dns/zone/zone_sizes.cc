// Building a zone: that each of its answers has room in a message.

#include "base/domain_name.h"
#include "dns/policy/selection.h"
#include "dns/wire/query.h"
#include "dns/wire/types.h"
#include "dns/wire/writer.h"
#include "dns/zone/zone_builder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace weir::dns {
namespace {

constexpr std::size_t kQuestionFixedBytes = 4;
constexpr std::size_t kRecordBytes = 12;  // the owner as a pointer, type, class, TTL and the length of the data
constexpr std::size_t kOptBytes = 11;     // every resolver that asks over TCP sends EDNS
constexpr std::size_t kRoom = kTcpMessageMax - kOptBytes;

// Calls `take(value)` for each value.
template <class Take>
void ForEachValue(std::span<const std::uint8_t> rdata, const RdataList& list, Take take) {
  const std::uint8_t* at = rdata.data() + list.offset;
  for (std::uint32_t i = 0; i < list.count; ++i) take(NextValue(at));
}

std::size_t RecordBytes(std::span<const std::uint8_t> rdata, const RdataList& list) {
  std::size_t bytes = 0;
  ForEachValue(rdata, list, [&bytes](std::span<const std::uint8_t> value) { bytes += kRecordBytes + value.size(); });
  return bytes;
}

// Names in the values are compressed: only writing the message tells what it takes.
bool FitsCompressed(std::span<const std::uint8_t> owner, std::uint16_t type, std::span<const std::uint8_t> rdata,
                    std::span<const RdataList> lists) {
  std::vector<std::uint8_t> question(owner.begin(), owner.end());
  question.resize(owner.size() + kQuestionFixedBytes, 0);
  HashedName name;
  name.Assign(owner);
  std::vector<std::uint8_t> message(kTcpMessageMax);
  MessageWriter writer(message, kRoom);
  writer.PutHeader(0, 0);
  bool fits = writer.PutQuestion(question, name);
  for (const RdataList& list : lists) {
    ForEachValue(rdata, list, [&](std::span<const std::uint8_t> value) {
      fits = fits && writer.PutRecord(Section::kAnswer, writer.question_owner(), type, 0, value);
    });
  }
  return fits;
}

}  // namespace

// RFC 1035 4.2.2: a message over TCP has at most 65,535 octets, and there is no other way to fetch a larger set.
void ZoneBuilder::CheckMessageSizes() {
  std::vector<RdataList> together;
  for (const Group& group : zone_->groups_) {
    const auto members = zone_->members_of(group);
    const std::size_t step = group.policy == config::RoutingPolicy::kMultivalue ? members.size() : 1;
    for (std::size_t first = 0; first < members.size(); first += step) {
      together.clear();
      for (const Member& member : members.subspan(first, step)) together.push_back(member.values);
      CheckMessageSize(group, members[first], together);
    }
  }
}

// `lists` are the values of `first`, or of all members, of which the greatest may be drawn together.
void ZoneBuilder::CheckMessageSize(const Group& group, const Member& first, std::vector<RdataList>& lists) {
  const auto bytes_of = [this](const RdataList& list) { return RecordBytes(zone_->rdata_, list); };
  if (lists.size() > kMultivalueMax) {
    std::ranges::sort(lists, std::ranges::greater(), bytes_of);
    lists.resize(kMultivalueMax);
  }
  std::size_t bytes = 0;
  for (const RdataList& list : lists) bytes += bytes_of(list);
  const auto owner = zone_->name_of(zone_->nodes_[group.node]);
  const std::size_t question_bytes = owner.size() + kQuestionFixedBytes;
  if (kHeaderBytes + question_bytes + bytes <= kRoom || FitsCompressed(owner, group.type, zone_->rdata_, lists)) return;
  const config::RecordSet* const record = zone_->record_of(first);
  std::string name;
  AppendDomainName(owner, name);
  Fail(record != nullptr ? record->position : configured_->position,
       "the " + RecordTypeName(group.type) + " records of '" + name + "' take " + std::to_string(bytes) +
           " bytes, more than a message holds",
       "at most 65,535 bytes with the question (RFC 1035 4.2.2): fewer or shorter values");
}

}  // namespace weir::dns
