#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::functions {

// What a function asks of the Lambda Runtime API (version 2018-06-01).
enum class RuntimeCall : std::uint8_t {
  kNext,       // GET /2018-06-01/runtime/invocation/next
  kResponse,   // POST /2018-06-01/runtime/invocation/ID/response
  kError,      // POST /2018-06-01/runtime/invocation/ID/error
  kInitError,  // POST /2018-06-01/runtime/init/error
};
struct RuntimeRequest {
  RuntimeCall call = RuntimeCall::kNext;
  std::string_view id;  // of kResponse and kError; points into the path
  friend bool operator==(const RuntimeRequest&, const RuntimeRequest&) = default;
};
struct RuntimeAnswer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> fields = {};  // beside Content-Type and Content-Length
  std::string content = {};                                      // JSON
};
// What a path, without its query, and a method ask for. Otherwise the answer: 404 for a path that is none, 405 for a
// method that is not the path's.
[[nodiscard]] std::expected<RuntimeRequest, RuntimeAnswer> ReadRuntimeRequest(std::string_view method,
                                                                              std::string_view path);

// An error of the API as Lambda words it: {"errorMessage": ..., "errorType": ...}.
[[nodiscard]] RuntimeAnswer RuntimeFault(int status, std::string_view type, std::string_view message);
// For a response of more than the bytes allowed: 413.
[[nodiscard]] RuntimeAnswer TooLargeFault();

// One event for the function.
struct RuntimeInvocation {
  std::string id;
  std::string event = {};
  std::int64_t deadline_ms = 0;  // since 1970
  std::string function_arn = {};
  std::string trace_id = {};
};

// The part of the API that knows in which order things are said:
//
//   init --next--> waiting --Give--> busy --response, error, response too large--> answered --next--> waiting
//     `--init/error--> failed
//
// Whatever comes out of order is refused with 403, an id that is not the one of the invocation with 400. Pure.
class RuntimeProtocol {
 public:
  enum class Event : std::uint8_t { kNone, kReady, kResponse, kError, kTooLarge, kInitError };
  struct Step {
    std::optional<RuntimeAnswer> answer;  // absent: Give follows, some time
    Event event = Event::kNone;
  };
  // A whole request; `too_large` when its content was more than is taken.
  [[nodiscard]] Step Take(const RuntimeRequest& request, bool too_large);
  // The answer to the `next` that waits. Only while waiting().
  [[nodiscard]] RuntimeAnswer Give(RuntimeInvocation invocation);
  // Who had asked for `next` is gone.
  void LoseNext();
  [[nodiscard]] bool waiting() const { return phase_ == Phase::kWaiting; }

 private:
  enum class Phase : std::uint8_t { kInit, kIdle, kWaiting, kBusy, kFailed };
  [[nodiscard]] Step TakeResult(const RuntimeRequest& request, bool too_large);

  Phase phase_ = Phase::kInit;
  std::string id_;  // of the invocation, while busy
};

}  // namespace weir::functions
