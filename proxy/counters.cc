#include "proxy/counters.h"

#include "base/check.h"
#include "base/text.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace weir::proxy {

void ResponseCounters::Add(std::uint16_t status) {
  switch (status / 100) {
    case 1:
      return class_1xx.Add();
    case 2:
      return class_2xx.Add();
    case 3:
      return class_3xx.Add();
    case 4:
      return class_4xx.Add();
    case 5:
      return class_5xx.Add();
    default:
      // No response that is sent or accepted has another class.
      return;
  }
}

const Counter& ResponseCounters::OfClass(std::size_t index) const {
  const std::array<const Counter*, kResponseClasses.size()> all = {&class_1xx, &class_2xx, &class_3xx, &class_4xx,
                                                                   &class_5xx};
  return *all[index];
}

std::uint64_t TlsCounters::Failures() const {
  std::uint64_t sum = failed_without_alert.value();
  for (const auto* const alerts : {&alerts_sent, &alerts_received}) {
    for (const Counter& counter : *alerts) sum += counter.value();
  }
  return sum;
}

void TlsCounters::Note(const net::TlsFacts& agreed) {
  handshakes[std::to_underlying(agreed.version)][agreed.is_resumed ? 1 : 0].Add();
  suites[agreed.suite_index].Add();
}

void TlsCounters::Note(const net::TlsFailure& failure) {
  const auto count = [](std::array<Counter, 128>& counters, std::uint8_t alert) {
    counters[alert % counters.size()].Add();
  };
  if (failure.certificate_fault != net::ClientCertificateFault::kNone) {
    certificate_faults[std::to_underlying(failure.certificate_fault)].Add();
  }
  if (failure.alert_received) {
    count(alerts_received, *failure.alert_received);
  } else if (failure.alert_sent) {
    count(alerts_sent, *failure.alert_sent);
  } else {
    failed_without_alert.Add();
  }
}

std::string_view ToString(ProxyHeaderFault fault) {
  using enum ProxyHeaderFault;
  switch (fault) {
    case kSender:
      return "Sender";
    case kMalformed:
      return "Malformed";
    case kTooLong:
      return "TooLong";
    case kChecksum:
      return "Checksum";
    case kTimeout:
      return "Timeout";
    case kClosed:
      return "Closed";
  }
  std::unreachable();
}

namespace {

template <class Key, class Table, class Less>
std::shared_ptr<Table> FindOrAdd(std::map<Key, std::shared_ptr<Table>, Less>& tables, const Key& key,
                                 std::size_t workers) {
  auto& table = tables[key];
  if (table == nullptr) table = std::make_shared<Table>(workers);
  return table;
}

// Adds those of `parts` that `table`, which may be null, does not have.
template <class Part, class T>
std::shared_ptr<const CountersBy<Part, T>> WithParts(std::shared_ptr<const CountersBy<Part, T>>& table,
                                                     std::span<const Part> parts, std::size_t workers) {
  std::vector<typename CountersBy<Part, T>::OfPart> all;
  if (table != nullptr) all.assign(table->parts().begin(), table->parts().end());
  const std::size_t known = all.size();
  const auto add = [&](const Part& part) {
    if (std::ranges::find(all, part, &CountersBy<Part, T>::OfPart::first) != all.end()) return;
    all.emplace_back(part, std::make_shared<PerWorker<T>>(workers));
  };
  std::ranges::for_each(parts, add);
  if (all.empty()) add(Part());  // what has no parts counts all the same
  if (all.size() > known) table = std::make_shared<const CountersBy<Part, T>>(std::move(all));
  return table;
}

}  // namespace

std::shared_ptr<const ListenerCountersTable> CounterRegistry::Listener(const std::string& key,
                                                                       std::span<const IpAddress> addresses) {
  const std::scoped_lock lock(mutex_);
  return WithParts(listeners_[key], addresses, workers_);
}

std::shared_ptr<const ResponseTimesTable> CounterRegistry::ResponseTimes(const std::string& key,
                                                                         std::span<const std::string> zones) {
  const std::scoped_lock lock(mutex_);
  return WithParts(response_times_[key], zones, workers_);
}

std::shared_ptr<RuleCountersTable> CounterRegistry::Rule(std::string_view key) {
  const std::size_t slash = key.rfind('/');
  WEIR_CHECK(slash != std::string_view::npos);
  const auto priority = static_cast<std::uint32_t>(ParseDecimal(key.substr(slash + 1)).value_or(0));
  const std::scoped_lock lock(mutex_);
  RuleTables& tables = rules_[std::string(key.substr(0, slash))];
  const auto place = std::ranges::lower_bound(tables, priority, {}, &RuleTables::value_type::first);
  if (place != tables.end() && place->first == priority) return place->second;
  return tables.emplace(place, priority, std::make_shared<RuleCountersTable>(workers_))->second;
}

void ListenerCounters::NoteServerError(std::uint16_t status) {
  for (std::size_t i = 0; i < kCountedServerErrors.size(); ++i) {
    if (kCountedServerErrors[i].first == status) server_errors[i].Add();
  }
}

std::shared_ptr<LeadingActionCountersTable> CounterRegistry::LeadingAction(const std::string& key) {
  const std::scoped_lock lock(mutex_);
  return FindOrAdd(leading_actions_, key, workers_);
}

std::shared_ptr<GroupCountersTable> CounterRegistry::Group(const std::string& key) {
  const std::scoped_lock lock(mutex_);
  return FindOrAdd(groups_, key, workers_);
}

std::shared_ptr<TlsCountersTable> CounterRegistry::GroupTls(const std::string& key) {
  const std::scoped_lock lock(mutex_);
  return FindOrAdd(group_tls_, key, workers_);
}

}  // namespace weir::proxy
