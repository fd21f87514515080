#pragma once

#include "control/appliance.h"
#include "control/view.h"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace weir::control {

// A view of `yaml` in which every target is healthy and has a request count of 3; fails the test when the text is
// wrong.
std::shared_ptr<View> MakeView(std::string_view yaml);

// A load balancer with two weighted groups, a fixed response, a zone and a health check.
extern const std::string_view kShopYaml;

// An appliance that remembers what was submitted and answers with what the test says.
class FakeAppliance final : public Appliance {
 public:
  [[nodiscard]] std::shared_ptr<const View> CurrentView() const override { return view; }
  [[nodiscard]] Runtime CurrentRuntime() const override { return runtime; }
  [[nodiscard]] const EventJournal& events() const override { return journal; }
  void Submit(Change change, OnDone done) override;

  [[nodiscard]] std::size_t submitted() const;

  // With `hold` set before, changes are not answered until Release.
  void WaitForHeld();
  void Release();

  std::shared_ptr<View> view;
  Runtime runtime;
  EventJournal journal;
  bool hold = false;
  ChangeResult answer = std::uint64_t{7};

 private:
  mutable std::mutex mutex_;
  std::condition_variable held_changed_;
  std::vector<Change> changes_;
  OnDone held_;
};

}  // namespace weir::control
