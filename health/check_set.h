#pragma once

#include "config/model.h"
#include "health/engine.h"
#include "health/status.h"
#include "health/target_set.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace weir::health {

// All DNS health checks of a configuration; spec: dns.md 2.2 and 4. Thread: the engine's.
class CheckSet {
 public:
  explicit CheckSet(EngineParts& parts);
  ~CheckSet();
  CheckSet(const CheckSet&) = delete;
  CheckSet& operator=(const CheckSet&) = delete;

  // Takes over the checks of `model`, which lives until the next Apply. A check that stays by name keeps its state;
  // when its settings changed it counts anew, and the present state holds until that decides.
  void Apply(const config::Model& model);

  // Works out what follows from new results: calculated checks, transitions. To be called before Build whenever
  // on_change was called; cheap when nothing changed.
  void Settle();
  // One status for each check, in the order of the model.
  [[nodiscard]] const std::vector<CheckStatus>& statuses() const { return statuses_; }

  // Fails, with the nearest name as hint, when there is no such check, and for kDraining.
  [[nodiscard]] Result<void> SetOverride(const std::string& name, AdminState state);
  void AppendOverrides(std::vector<Override>& out) const;

 private:
  class Check;
  void Arrange(Check& check, const config::HealthCheck& settings);
  void MarkUnsettled();

  EngineParts& parts_;
  const config::Model* model_ = nullptr;
  std::map<std::string, std::unique_ptr<Check>, std::less<>> checks_;
  std::vector<Check*> order_;  // as in the model
  std::vector<CheckStatus> statuses_;
  bool unsettled_ = true;
};

}  // namespace weir::health
