#include "process/message.h"

#include <cstring>
#include <type_traits>
#include <utility>

namespace weir::process {
namespace {

constexpr std::uint8_t kVersion = 1;
// Orders and notices have numbers of their own, so that one is never taken for the other.
enum class Kind : std::uint8_t { kSpawn = 1, kSignal = 2, kEnd = 3, kStarted = 65, kEnded = 66 };
constexpr std::size_t kTextsMax = 16 * 1024;  // of one list

class Writer {
 public:
  explicit Writer(Kind kind) {
    Put(kVersion);
    Put(std::to_underlying(kind));
  }
  template <class T>
    requires std::is_integral_v<T>
  void Put(T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out_.append(bytes, sizeof(T));
  }
  void Put(std::chrono::milliseconds time) { Put(static_cast<std::int64_t>(time.count())); }
  void Put(std::string_view text) {
    Put(static_cast<std::uint32_t>(text.size()));
    out_.append(text);
  }
  void Put(const std::vector<std::string>& texts) {
    Put(static_cast<std::uint32_t>(texts.size()));
    for (const std::string& text : texts) Put(std::string_view(text));
  }
  void Put(const std::optional<std::uint64_t>& value) {
    Put(static_cast<std::uint8_t>(value ? 1 : 0));
    Put(value.value_or(0));
  }
  [[nodiscard]] std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// Gives zeros once something was missing.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  template <class T>
    requires std::is_integral_v<T>
  T Take() {
    T value{};
    if (bytes_.size() < sizeof(T)) {
      good_ = false;
      return value;
    }
    std::memcpy(&value, bytes_.data(), sizeof(T));
    bytes_.remove_prefix(sizeof(T));
    return value;
  }
  std::chrono::milliseconds TakeTime() {
    const auto count = Take<std::int64_t>();
    if (count < 0) good_ = false;
    return std::chrono::milliseconds(count);
  }
  bool TakeBool() {
    const auto value = Take<std::uint8_t>();
    if (value > 1) good_ = false;
    return value == 1;
  }
  template <class T>
  T TakeEnumerator(T last) {
    const auto value = Take<std::uint8_t>();
    if (value > std::to_underlying(last)) good_ = false;
    return static_cast<T>(value);
  }
  std::string TakeText() {
    const auto size = Take<std::uint32_t>();
    if (size > bytes_.size()) {
      good_ = false;
      return {};
    }
    std::string text(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return text;
  }
  std::vector<std::string> TakeTexts() {
    const auto count = Take<std::uint32_t>();
    if (count > kTextsMax) good_ = false;
    std::vector<std::string> texts;
    for (std::uint32_t i = 0; good_ && i < count; ++i) texts.push_back(TakeText());
    return texts;
  }
  std::optional<std::uint64_t> TakeOptional() {
    const bool there = TakeBool();
    const auto value = Take<std::uint64_t>();
    return there ? std::optional(value) : std::nullopt;
  }
  [[nodiscard]] bool TakeVersion() { return Take<std::uint8_t>() == kVersion; }
  // All of it was read, and nothing was missing.
  [[nodiscard]] bool complete() const { return good_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

std::string EncodeOne(const SpawnOrder& order) {
  Writer out(Kind::kSpawn);
  out.Put(order.child);
  out.Put(order.command);
  out.Put(order.environment);
  out.Put(std::string_view(order.directory));
  out.Put(static_cast<std::uint8_t>(order.has_input ? 1 : 0));
  for (const auto& limit :
       {order.limits.open_files, order.limits.address_space_bytes, order.limits.cpu_seconds, order.limits.file_bytes}) {
    out.Put(limit);
  }
  out.Put(order.timeout);
  out.Put(order.grace);
  return out.Take();
}

std::string EncodeOne(const SignalOrder& order) {
  Writer out(Kind::kSignal);
  out.Put(order.child);
  out.Put(order.number);
  return out.Take();
}

std::string EncodeOne(const EndOrder& order) {
  Writer out(Kind::kEnd);
  out.Put(order.child);
  out.Put(order.grace);
  return out.Take();
}

std::string EncodeOne(const StartedNotice& notice) {
  Writer out(Kind::kStarted);
  out.Put(notice.child);
  out.Put(notice.pid);
  return out.Take();
}

std::string EncodeOne(const EndedNotice& notice) {
  Writer out(Kind::kEnded);
  out.Put(notice.child);
  out.Put(std::to_underlying(notice.end.kind));
  out.Put(notice.end.value);
  out.Put(std::to_underlying(notice.end.stage));
  out.Put(static_cast<std::uint8_t>(notice.end.timed_out ? 1 : 0));
  return out.Take();
}

SpawnOrder TakeSpawn(Reader& in) {
  SpawnOrder order;
  order.child = in.Take<std::uint64_t>();
  order.command = in.TakeTexts();
  order.environment = in.TakeTexts();
  order.directory = in.TakeText();
  order.has_input = in.TakeBool();
  order.limits.open_files = in.TakeOptional();
  order.limits.address_space_bytes = in.TakeOptional();
  order.limits.cpu_seconds = in.TakeOptional();
  order.limits.file_bytes = in.TakeOptional();
  order.timeout = in.TakeTime();
  order.grace = in.TakeTime();
  return order;
}

EndedNotice TakeEnded(Reader& in) {
  EndedNotice notice;
  notice.child = in.Take<std::uint64_t>();
  notice.end.kind = in.TakeEnumerator(ProcessEnd::Kind::kLost);
  notice.end.value = in.Take<int>();
  notice.end.stage = in.TakeEnumerator(StartStage::kExecute);
  notice.end.timed_out = in.TakeBool();
  return notice;
}

template <class T>
std::optional<T> Whole(const Reader& in, T message) {
  if (!in.complete()) return std::nullopt;
  return message;
}

}  // namespace

std::string Encode(const Order& order) {
  return std::visit([](const auto& one) { return EncodeOne(one); }, order);
}

std::string Encode(const Notice& notice) {
  return std::visit([](const auto& one) { return EncodeOne(one); }, notice);
}

std::optional<Order> DecodeOrder(std::string_view message) {
  Reader in(message);
  if (!in.TakeVersion()) return std::nullopt;
  switch (static_cast<Kind>(in.Take<std::uint8_t>())) {
    case Kind::kSpawn: {
      auto order = TakeSpawn(in);
      if (order.command.empty()) return std::nullopt;
      return Whole<Order>(in, std::move(order));
    }
    case Kind::kSignal: {
      SignalOrder order{.child = in.Take<std::uint64_t>()};
      order.number = in.Take<int>();
      return Whole<Order>(in, order);
    }
    case Kind::kEnd: {
      EndOrder order{.child = in.Take<std::uint64_t>()};
      order.grace = in.TakeTime();
      return Whole<Order>(in, order);
    }
    default:
      return std::nullopt;
  }
}

std::optional<Notice> DecodeNotice(std::string_view message) {
  Reader in(message);
  if (!in.TakeVersion()) return std::nullopt;
  switch (static_cast<Kind>(in.Take<std::uint8_t>())) {
    case Kind::kStarted: {
      StartedNotice notice{.child = in.Take<std::uint64_t>()};
      notice.pid = in.Take<int>();
      return Whole<Notice>(in, notice);
    }
    case Kind::kEnded: {
      auto notice = TakeEnded(in);
      return Whole<Notice>(in, notice);
    }
    default:
      return std::nullopt;
  }
}

}  // namespace weir::process
