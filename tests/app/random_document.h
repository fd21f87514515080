#pragma once

// Documents and edits of them, made from a seed: much of what the language has, and much that it refuses.

#include "config/document/document.h"

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace weir::app::testing {

class RandomDocument {
 public:
  explicit RandomDocument(std::uint64_t seed) : random_(seed) {}

  // A document, as JSON. Most are without errors.
  [[nodiscard]] std::string Make();
  // A JSON Patch of one to three steps. About half of them leave a document without errors.
  [[nodiscard]] std::string Edit(const config::Document& document);
  // What the variables hold that documents refer to.
  [[nodiscard]] static std::optional<std::string> Variable(const std::string& name);

  // Below `end`.
  [[nodiscard]] std::size_t Below(std::size_t end) { return random_() % end; }

 private:
  template <class MakeItem>
  [[nodiscard]] std::string List(std::size_t count, MakeItem make);
  [[nodiscard]] bool Chance(std::size_t percent) { return Below(100) < percent; }
  [[nodiscard]] std::string Name(char letter, std::size_t end) { return letter + std::to_string(Below(end)); }
  [[nodiscard]] std::string Fresh(const char* prefix) { return prefix + std::to_string(next_++); }

  [[nodiscard]] std::string Condition();
  [[nodiscard]] std::string Action();
  [[nodiscard]] std::string Rule();
  [[nodiscard]] std::string Listener();
  [[nodiscard]] std::string LoadBalancer(const std::string& name);
  [[nodiscard]] std::string TargetGroup(const std::string& name);
  [[nodiscard]] std::string HealthCheck(const std::string& name);
  [[nodiscard]] std::string Record();
  [[nodiscard]] std::string Zone(const std::string& name);
  [[nodiscard]] std::string Collection(const std::string& name);

  [[nodiscard]] std::string Step(const config::Document& document);
  // A place of the document that has an item of this kind: a list, and how many items it has.
  struct Items {
    std::string path;
    std::size_t count = 0;
  };
  [[nodiscard]] Items FindItems(const config::Document& document, std::size_t kind);
  // Any node at all but the root.
  [[nodiscard]] std::string AnyPath(const config::Document& document);
  [[nodiscard]] std::string Item(std::size_t kind);

  std::mt19937_64 random_;
  std::size_t next_ = 100;
};

}  // namespace weir::app::testing
