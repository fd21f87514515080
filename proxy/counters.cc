#include "proxy/counters.h"

#include <utility>

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

namespace {

template <class Key, class Table, class Less>
std::shared_ptr<Table> FindOrAdd(std::map<Key, std::shared_ptr<Table>, Less>& tables, const Key& key,
                                 std::size_t workers) {
  auto& table = tables[key];
  if (table == nullptr) table = std::make_shared<Table>(workers);
  return table;
}

}  // namespace

std::shared_ptr<ListenerCountersTable> CounterRegistry::Listener(const std::string& key) {
  const std::scoped_lock lock(mutex_);
  return FindOrAdd(listeners_, key, workers_);
}

std::shared_ptr<RuleCountersTable> CounterRegistry::Rule(const std::string& listener, std::uint32_t priority) {
  const std::scoped_lock lock(mutex_);
  return FindOrAdd(rules_[listener], priority, workers_);
}

std::shared_ptr<GroupCountersTable> CounterRegistry::Group(const std::string& key) {
  const std::scoped_lock lock(mutex_);
  return FindOrAdd(groups_, key, workers_);
}

}  // namespace weir::proxy
