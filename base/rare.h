#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace weir {

// A value that is hardly ever set: one pointer while it is what a new T is. Of what there are tens of thousands, most
// members are such. Reads as a const T, a container as itself; copies have a T of their own. Thread: as a T.
template <class T>
class Rare {
 public:
  Rare() = default;
  Rare(T value) : value_(IsNothing(value) ? nullptr : std::make_unique<T>(std::move(value))) {}  // as T would be
  Rare(const Rare& other) : value_(other.value_ == nullptr ? nullptr : std::make_unique<T>(*other.value_)) {}
  Rare(Rare&& other) noexcept = default;
  Rare& operator=(const Rare& other) {
    if (this != &other) *this = Rare(other);
    return *this;
  }
  Rare& operator=(Rare&& other) noexcept = default;
  ~Rare() = default;

  [[nodiscard]] const T& operator*() const { return value_ == nullptr ? kNothing : *value_; }
  [[nodiscard]] const T* operator->() const { return &**this; }
  operator const T&() const { return **this; }  // as T would be
  operator std::string_view() const
    requires std::same_as<T, std::string>
  {
    return **this;
  }
  friend bool operator==(const Rare& one, const Rare& other)
    requires std::equality_comparable<T>
  {
    return *one == *other;
  }
  friend bool operator==(const Rare& one, const T& other)
    requires std::equality_comparable<T>
  {
    return *one == other;
  }
  // To be changed in place.
  [[nodiscard]] T& edit() {
    if (value_ == nullptr) value_ = std::make_unique<T>();
    return *value_;
  }

  [[nodiscard]] bool empty() const { return value_ == nullptr || value_->empty(); }
  [[nodiscard]] std::size_t size() const { return (**this).size(); }
  [[nodiscard]] auto data() const { return (**this).data(); }
  [[nodiscard]] auto begin() const { return (**this).begin(); }
  [[nodiscard]] auto end() const { return (**this).end(); }
  [[nodiscard]] const auto& operator[](std::size_t index) const { return (**this)[index]; }

 private:
  static bool IsNothing(const T& value) {
    if constexpr (requires { value.empty(); }) return value.empty();
    return false;
  }
  static constinit inline const T kNothing{};

  std::unique_ptr<T> value_;
};

}  // namespace weir
