#include "functions/function_targets.h"

#include "base/arn.h"
#include "functions/invoke_endpoint.h"

namespace weir::functions {
namespace {

constexpr std::string_view kDefaultRegion = "us-east-1";  // of programs, for which there must be one

// Where no programs are run.
class NoProgram final : public FunctionInvoker {
 public:
  std::unique_ptr<Invocation> Invoke(net::EventLoop& loop, std::string /*event*/, OnResult done) override {
    return std::make_unique<Refused>(loop, std::move(done));
  }

 private:
  class Refused final : public Invocation, private net::Task {
   public:
    Refused(net::EventLoop& loop, OnResult done) : done_(std::move(done)) { loop.RunSoon(*this); }

   private:
    void RunTask() override {
      const OnResult done = std::move(done_);  // which may destroy this
      done(std::unexpected(InvokeError{InvokeFailure::kUnreachable, "no programs are run here"}));
    }
    OnResult done_;
  };
};

}  // namespace

FunctionTargetList FunctionTargets::Build(const config::Model& model) {
  std::erase_if(endpoints_, [](const auto& entry) { return entry.second.invoker.expired(); });
  std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
  FunctionTargetList out;
  out.reserve(model.target_groups.size());
  for (const config::TargetGroup& group : model.target_groups) {
    auto& target = out.emplace_back();
    if (!group.function) continue;
    std::vector<VersionTarget> versions;
    for (const config::FunctionVersion& version : group.function->versions) {
      versions.push_back(
          {.name = version.name, .weight = version.weight, .invoker = InvokerFor(model, group, version)});
    }
    const Values values = group.function->multi_value_headers ? Values::kAll : Values::kLast;
    auto made = std::make_shared<const FunctionTarget>(TargetGroupArn(group.name, model.node.region), values,
                                                       group.function->alias, std::move(versions));
    auto& known = known_[group.name];
    target = known.lock();
    if (target == nullptr || *target != *made) known = target = std::move(made);
  }
  return out;
}

std::shared_ptr<FunctionInvoker> FunctionTargets::InvokerFor(const config::Model& model,
                                                             const config::TargetGroup& group,
                                                             const config::FunctionVersion& version) {
  if (version.code.invoke.empty()) {
    const std::string region = model.node.region.empty() ? std::string(kDefaultRegion) : model.node.region;
    if (programs_ == nullptr) return std::make_shared<NoProgram>();
    return programs_->Invoker({.name = group.name, .version = version.name, .region = region, .code = version.code});
  }
  Endpoint& known = endpoints_[{group.name, version.name}];
  auto invoker = known.code == version.code ? known.invoker.lock() : nullptr;
  if (invoker == nullptr) invoker = std::make_shared<InvokeEndpoint>(version.code);
  known = {.code = version.code, .invoker = invoker};
  return invoker;
}

}  // namespace weir::functions
